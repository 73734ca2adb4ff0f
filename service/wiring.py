"""Builds everything once: settings become a World. The only place with the real clock and real chance.

Secrets that the environment does not give are made once under `var/secrets`, for a sandbox.
"""

import secrets
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from idp.provider import Provider
from idp.sources.population_register import HttpPopulationRegister
from idp.sources.sms_gateway import HttpSmsGateway
from keys import access_token, journal
from keys.access_token import Caller
from keys.algorithms import Purpose
from keys.jose import TokenUnknownKey
from keys.protected_numbers import NumberProtector
from keys.signer import PublicKey
from keys.vault import Vault
from license_store.desk import Desk
from license_store.files import FileStore, open_files
from license_store.jobs import Job, jobs
from service.db import Begin, beginner, connect
from service.public_artefacts import SERVICE, OwnArtefacts
from service.queue import Queue
from service.remembered import Remembered
from service.settings import SANDBOX_MARK, SECRETS, Mode, Settings
from verification.verifier import Verifier

_SOURCE_TIMEOUT = httpx2.Timeout(5.0, connect=2.0)
_KEYS_KEPT_FOR = timedelta(seconds=60)


class SandboxKeysError(Exception):
    """A production service was pointed at a database with a sandbox's keys."""


@dataclass(frozen=True, slots=True)
class Chance:
    """Time and chance, the two things every rule is given and none takes."""

    clock: Callable[[], datetime]
    random: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the outside is: the databases, the public address, the simulators ("" without)."""

    database_url: str
    redis_url: str
    address: str
    simulators_url: str


@dataclass(frozen=True, slots=True)
class World:
    """The wired service. Pages and apps are given this and take what they need."""

    settings: Settings
    address: str
    simulators_url: str
    engine: Engine
    begin: Begin
    redis: Redis
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    vault: Vault
    provider: Provider
    desk: Desk
    artefacts: OwnArtefacts
    verifier: Verifier
    queue: Queue
    check_token: Callable[[str], Caller]

    @property
    def licence_audience(self) -> str:
        """What an access token for the licence API is made for (RFC 9068 `aud`)."""
        return licence_audience(self.address)


def real_chance() -> Chance:
    """Return the machine's clock, in whole seconds, and its generator."""
    return Chance(lambda: datetime.now(UTC).replace(microsecond=0), secrets.token_bytes)


def licence_audience(address: str) -> str:
    """Return the resource (RFC 8707) that is the licence API of the service at `address`."""
    return f"{address}/api/licences"


@contextmanager
def build(
    settings: Settings,
    around: Surroundings,
    chance: Chance,
    wrap_files: Callable[[FileStore], FileStore] = lambda files: files,
) -> Iterator[World]:
    """Yield the World; its connections are closed at the end. `wrap_files` lets a test break them."""
    keys = {name: _secret(settings, name, chance) for name in SECRETS}
    with ExitStack() as closing:
        engine = connect(around.database_url, settings.database_pool)
        closing.callback(engine.dispose)
        redis = closing.enter_context(Redis.from_url(around.redis_url))
        begin = beginner(engine)
        vault = Vault(keys["key_encryption_key"], chance.clock, chance.random)
        protector = NumberProtector(keys["number_index_key"], keys["number_seal_key"])
        provider = Provider(
            begin=begin,
            clock=chance.clock,
            random=chance.random,
            redis=redis,
            signer=lambda tx, purpose: vault.signer(tx, purpose, SERVICE),
            token_keys=lambda tx: tuple(_token_keys(tx, vault).values()),
            protector=protector,
            public_url=around.address,
            population_register=HttpPopulationRegister(
                _client(closing, settings.population_register_url or around.simulators_url)
            ),
            sms_gateway=HttpSmsGateway(
                _client(closing, settings.sms_gateway_url or around.simulators_url)
            ),
            secret=keys["session_secret"],
        )
        # The desk defers jobs and the jobs use the desk: the table is filled once both are there.
        every_job: dict[str, Job] = {}
        queue = Queue(around.database_url, chance.clock, every_job)
        desk = Desk(
            begin=begin,
            clock=chance.clock,
            random=chance.random,
            signer=vault.signer,
            certificate=vault.certificate,
            files=wrap_files(open_files(settings.files_url or settings.var.resolve() / "files")),
            defer=queue.defer,
            protector=protector,
            public_url=around.address,
        )
        every_job |= {**jobs(desk), **_own_jobs(begin, chance.clock)}
        artefacts = OwnArtefacts(begin, vault, desk, chance.clock)
        yield World(
            settings=settings,
            address=around.address,
            simulators_url=around.simulators_url,
            engine=engine,
            begin=begin,
            redis=redis,
            clock=chance.clock,
            random=chance.random,
            vault=vault,
            provider=provider,
            desk=desk,
            artefacts=artefacts,
            verifier=Verifier(artefacts, chance.clock, around.address),
            queue=queue,
            check_token=_token_check(begin, vault, provider, chance.clock),
        )


def refuse_sandbox_keys(world: World) -> None:
    """Raise `SandboxKeysError` when a production service's vault holds a sandbox's roots."""
    if world.settings.mode is not Mode.PRODUCTION:
        return
    with world.begin() as tx:
        owners = {record.owner for record in world.vault.public_keys(tx, Purpose.CERTIFICATES)}
    if sandbox := sorted(owner for owner in owners if owner.startswith(SANDBOX_MARK)):
        raise SandboxKeysError(
            f"the database holds demonstration keys ({', '.join(sandbox)}): "
            "production needs a database of its own (YINXIN_DATABASE_URL)"
        )


def _secret(settings: Settings, name: str, chance: Chance) -> bytes:
    """Return the 32 bytes of a secret: from the settings, else from a file made at first use."""
    text = getattr(settings, name).get_secret_value()
    if not text:
        text = _kept_secret(settings.var / "secrets" / name, chance)
    return bytes.fromhex(text.removeprefix(SANDBOX_MARK))


def _kept_secret(path: Path, chance: Chance) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(".new")
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600)
        unfinished.write_text(SANDBOX_MARK + chance.random(32).hex() + "\n", "ascii")
        unfinished.rename(path)
    return path.read_text("ascii").strip()


def _client(closing: ExitStack, base_url: str) -> httpx2.Client:
    # Reading the machine's trusted roots takes a tenth of a second; plain http trusts none.
    https = base_url.startswith("https://")
    tls = ssl.create_default_context() if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return closing.enter_context(
        httpx2.Client(base_url=base_url, timeout=_SOURCE_TIMEOUT, verify=tls)
    )


def _own_jobs(begin: Begin, clock: Callable[[], datetime]) -> Mapping[str, Job]:
    def chain_journal() -> None:
        with begin() as tx:
            journal.chain(tx, clock)

    return {"chain_journal": Job(chain_journal, every="* * * * *")}


def _token_keys(tx: Session, vault: Vault) -> Mapping[str, PublicKey]:
    return {
        record.public_key.kid: record.public_key
        for purpose in (Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN)
        for record in vault.public_keys(tx, purpose)
    }


def _token_check(
    begin: Begin, vault: Vault, provider: Provider, clock: Callable[[], datetime]
) -> Callable[[str], Caller]:
    """Return the licence API's check of an access token.

    The keys are kept for a minute; a token that names another key makes them be read again.
    """

    def load() -> Mapping[str, PublicKey]:
        with begin() as tx:
            found = vault.public_keys(tx, Purpose.ACCESS_TOKEN)
        return {record.public_key.kid: record.public_key for record in found}

    keys = Remembered(load, clock, _KEYS_KEPT_FOR)

    def once(token: str) -> Caller:
        return access_token.check(
            token,
            keys.get(),
            issuer=provider.issuer,
            audience=licence_audience(provider.public_url),
            now=clock(),
        )

    def check(token: str) -> Caller:
        try:
            return once(token)
        except TokenUnknownKey:
            keys.forget()
            return once(token)

    return check
