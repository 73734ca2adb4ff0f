"""Builds everything once: settings become a World.

Secrets that the environment does not give are made once under `var/secrets`, for a sandbox.
"""

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import httpx2
import structlog
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from redis import Redis
from sqlalchemy import Engine, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request

import idp.admin.http
import idp.jobs
import seal.life.http
from idp import pruning
from idp.embedding import Embedding
from idp.entities import watch
from idp.node_role import Node, Role
from idp.outgoing import Outgoing
from idp.provider import Openness, Provider
from idp.sources.line import Line, Source
from idp.sources.sources import over_http
from keys import crl_publishing, enrolment, journal_sequencer, ocsp_publishing
from keys.access_token import Caller
from keys.algorithm_policy import AlgorithmPolicy
from keys.algorithms import ES256, Purpose
from keys.http_signature import sign_request
from keys.key_tally import Tally
from keys.protected_numbers import NumberProtector
from keys.signer import PublicKey
from keys.tables import authority, custodian, private_key
from keys.time_authority import TimeAuthority
from keys.vault import Vault
from license_store.desk import Desk
from license_store.files import FileStore, open_files
from license_store.jobs import Job, jobs
from seal.life.desk import SealDesk
from seal.life.gate import Gate
from service import key_encryption, seal_nodes
from service.certificate_trust import certificate_trust
from service.chance import Chance
from service.db import Begin, beginner, connect, reader
from service.mistakes import OperatorMistake
from service.public_artefacts import SERVICE, OwnArtefacts
from service.queue import Queue
from service.seal_gate import gate
from service.seal_nodes import SealNodes
from service.settings import SANDBOX_MARK, SECRETS, Mode, Parts, Settings
from service.time_stamps import time_stampers
from service.token_check import caller_check, token_check
from service.token_keys import TokenKeys
from verification.verifier import Verifier

SEAL_VENDOR = "yinxin"
"""Who made a seal, as the seal itself says it (GB/T 38540-2020, `Vid`)."""

_SOURCE_TIMEOUT = httpx2.Timeout(5.0, connect=2.0)

_log = structlog.get_logger("yinxin.wiring")


class SandboxKeysError(OperatorMistake):
    """A production service was pointed at a database with a sandbox's keys."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Where the outside is: the databases, the public address, the simulators ("" without)."""

    database_url: str
    redis_url: str
    address: str
    simulators_url: str


@dataclass(frozen=True, slots=True)
class Ground:
    """What keys need and nothing above them: the database and the vault. Commands work on this."""

    settings: Settings
    engine: Engine
    begin: Begin
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    vault: Vault
    tally: Tally


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
    tally: Tally
    provider: Provider
    desk: Desk
    seals: SealDesk
    seal_nodes: SealNodes
    seal_gate: Gate
    time_authority: TimeAuthority
    artefacts: OwnArtefacts
    verifier: Verifier
    queue: Queue
    check_token: Callable[[str], Caller]
    check_caller: Callable[[Request], Caller]
    check_manager: Callable[[Request], Caller]
    check_sealer: Callable[[Request], Caller]
    callers: Callable[[], Mapping[str, PublicKey]]

    @property
    def licence_audience(self) -> str:
        """What an access token for the licence API is made for (RFC 9068 `aud`)."""
        return licence_audience(self.address)


def licence_audience(address: str) -> str:
    """Return the resource (RFC 8707) that is the licence API of the service at `address`."""
    return f"{address}/api/licences"


@contextmanager
def ground(settings: Settings, database_url: str, chance: Chance) -> Iterator[Ground]:
    """Yield the database and the vault on it; their connections are closed at the end."""
    with ExitStack() as closing:
        engine = connect(database_url, settings.database_pool)
        closing.callback(engine.dispose)
        token = closing.enter_context(key_encryption.token(settings))
        begin = beginner(engine)
        tally = Tally(begin)
        closing.callback(_tell_the_rest, tally)
        vault = Vault(
            key_encryption.keys_of(settings, _secret_text(settings, SECRETS[0], chance), token),
            chance.clock,
            chance.random,
            record=tally.record,
            token=token,
            policy=AlgorithmPolicy().with_retirements(settings.retirements),
        )
        yield Ground(settings, engine, begin, chance.clock, chance.random, vault, tally)


@contextmanager
def build(
    settings: Settings,
    around: Surroundings,
    chance: Chance,
    wrap_files: Callable[[FileStore], FileStore] = lambda files: files,
) -> Iterator[World]:
    """Yield the World; its connections are closed at the end. `wrap_files` lets a test break them."""
    keys = {name: _secret(settings, name, chance) for name in SECRETS[1:]}
    with ExitStack() as closing:
        below = closing.enter_context(ground(settings, around.database_url, chance))
        begin, vault = below.begin, below.vault
        redis = closing.enter_context(Redis.from_url(around.redis_url))
        protector = NumberProtector(keys["number_index_key"], keys["number_seal_key"])
        token_keys = TokenKeys(begin, vault, chance.clock)

        def line_to(source: Source) -> Line:
            url = settings.source_url(source) or around.simulators_url
            client = _client(closing, url)
            return Line(source, client, signed, lambda: chance.random(16).hex())

        def signed(method: str, url: str, body: bytes) -> Mapping[str, str]:
            signer = token_keys.signer(Purpose.REQUEST, ES256)
            nonce = chance.random(16).hex()
            return sign_request(signer, method, url, body, now=chance.clock(), nonce=nonce)

        provider = Provider(
            begin=begin,
            reading=reader(below.engine),
            clock=chance.clock,
            random=chance.random,
            redis=redis,
            signer=token_keys.signer,
            token_keys=token_keys.published,
            encryption_key=token_keys.encryption_key,
            opener=token_keys.opener,
            defer=lambda tx, name, arguments: queue.defer(tx, name, arguments),
            outgoing=_outgoing(settings),
            openness=Openness(
                registration=settings.registration == "open",
                core_clients=settings.mode is Mode.SANDBOX,
            ),
            protector=protector,
            public_url=around.address,
            issuer=settings.issuer_at(around.address),
            mtls_url=settings.mtls_url or None,
            dpop_nonce_required=settings.dpop_nonce == "required",
            node=_node(settings),
            cas_services=settings.old_systems,
            certificates=certificate_trust(
                begin, _outgoing(settings), chance.clock, settings.sign_in_authorities_file
            ),
            sources=over_http(line_to),
            secret=keys["session_secret"],
            subject_key=_subject_key(keys["number_index_key"]),
        )
        time_authority = TimeAuthority(begin, vault, chance.clock)
        seals = SealDesk(
            begin=begin,
            clock=chance.clock,
            random=chance.random,
            vault=vault,
            maker=SERVICE,
            vendor=SEAL_VENDOR,
            time_stamper=time_stampers(time_authority, begin, chance.random),
            public_url=around.address,
        )
        # Our operator told the addresses: they may be in the government's own network.
        below_us = SealNodes(
            settings.seal_nodes(), seals, _outgoing(settings, private_allowed=True)
        )
        # The desk defers jobs and the jobs use the desk: the table is filled once both are there.
        every_job: dict[str, Job] = {}
        queue = Queue(around.database_url, chance.clock, every_job)
        desk = Desk(
            begin=begin,
            clock=chance.clock,
            random=chance.random,
            signer=partial(vault.signer, by="license_store"),
            seals=seals,
            files=wrap_files(open_files(settings.files_url or settings.var.resolve() / "files")),
            defer=queue.defer,
            protector=protector,
            public_url=around.address,
        )
        every_job |= {
            **(jobs(desk) if settings.parts is Parts.ALL else {}),
            **{
                name: Job(run, every=idp.jobs.EVERY.get(name, ""))
                for name, run in idp.jobs.jobs(provider).items()
            },
            **_own_jobs(begin, vault, chance.clock),
            seal_nodes.JOB: Job(below_us.ask_all, every="* * * * *"),
            watch.ALL_JOB: Job(partial(watch.watch_all, provider), every="27 2 * * *"),
        }
        artefacts = OwnArtefacts(begin, vault, desk, chance.clock)

        def check_for(audience: str) -> Callable[[str], Caller]:
            return token_check(begin, vault, provider.issuer, audience, chance.clock)

        def callers_for(audience: str) -> Callable[[Request], Caller]:
            return caller_check(provider, check_for(audience))

        check_token = check_for(licence_audience(around.address))
        yield World(
            settings=settings,
            address=around.address,
            simulators_url=around.simulators_url,
            engine=below.engine,
            begin=begin,
            redis=redis,
            clock=chance.clock,
            random=chance.random,
            vault=vault,
            tally=below.tally,
            provider=provider,
            desk=desk,
            seals=seals,
            seal_nodes=below_us,
            seal_gate=gate(provider, vault, settings.mode),
            time_authority=time_authority,
            artefacts=artefacts,
            verifier=Verifier(artefacts, chance.clock, around.address),
            queue=queue,
            check_token=check_token,
            callers=token_keys.callers,
            check_caller=caller_check(provider, check_token),
            check_manager=callers_for(idp.admin.http.audience(around.address)),
            check_sealer=callers_for(seal.life.http.audience(around.address)),
        )


def refuse_sandbox_keys(world: World) -> None:
    """Raise `SandboxKeysError` when a production service's database holds what a sandbox's does:
    keys, authorities or custodians of its names.
    """
    if world.settings.mode is not Mode.PRODUCTION:
        return
    with world.begin() as tx:
        names = {
            *tx.scalars(select(private_key.c.owner)),
            *tx.scalars(select(authority.c.name)),
            *tx.scalars(select(custodian.c.name)),
        }
    if sandbox := sorted(name for name in names if name.startswith(SANDBOX_MARK)):
        raise SandboxKeysError(
            f"the database holds demonstration keys ({', '.join(sandbox)}): "
            "production needs a database of its own (YINXIN_DATABASE_URL)"
        )


def _outgoing(settings: Settings, *, private_allowed: bool = False) -> Outgoing:
    return Outgoing(
        loopback_allowed=settings.may_reach_loopback,
        private_allowed=private_allowed,
        ca_file=Path(settings.outgoing_ca_file) if settings.outgoing_ca_file else None,
    )


def _node(settings: Settings) -> Node:
    """Return what this node is. Raises `WrongSettingError` for a file of upstreams that is wrong."""
    return Node(
        name=settings.node,
        role=Role(settings.node_role),
        upstreams={upstream.name: upstream for upstream in settings.upstreams()},
        registers=settings.citizen_registration == "here",
        signs_in=settings.citizen_sign_in == "here",
        embedding=Embedding(settings.embedders),
        # Our operator told the addresses: they may be in the government's own network.
        line=_outgoing(settings, private_allowed=True),
    )


def _secret(settings: Settings, name: str, chance: Chance) -> bytes:
    """Return the 32 bytes of a secret."""
    return bytes.fromhex(_secret_text(settings, name, chance).removeprefix(SANDBOX_MARK))


def _secret_text(settings: Settings, name: str, chance: Chance) -> str:
    """Return the text of a secret: from the settings, else from a file made at first use."""
    return settings.secret(name) or _kept_secret(settings.var / "secrets" / name, chance)


def _subject_key(of: bytes) -> bytes:
    """Derive the key of pairwise identifiers: it must last as long as the index it comes from."""
    return HKDF(SHA512(), 64, salt=None, info=b"yinxin pairwise subjects").derive(of)


def _kept_secret(path: Path, chance: Chance) -> str:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_suffix(f".{chance.random(8).hex()}")
        unfinished.touch(mode=0o600)
        unfinished.write_text(SANDBOX_MARK + chance.random(32).hex() + "\n", "ascii")
        # Of two processes that start at once, the first one's is kept, and both use that.
        with suppress(FileExistsError):
            path.hardlink_to(unfinished)
        unfinished.unlink()
    return path.read_text("ascii").strip()


def _client(closing: ExitStack, base_url: str) -> httpx2.Client:
    # Reading the machine's trusted roots takes a tenth of a second; plain http trusts none.
    https = base_url.startswith("https://")
    tls = ssl.create_default_context() if https else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return closing.enter_context(
        httpx2.Client(base_url=base_url, timeout=_SOURCE_TIMEOUT, verify=tls)
    )


def _tell_the_rest(tally: Tally) -> None:
    """Write the uses of keys that are still only counted: nobody could after the process ends."""
    try:
        tally.flush()
    except SQLAlchemyError as cause:
        _log.error("key uses were not told", uses=tally.untold, cause=type(cause).__name__)


def _own_jobs(begin: Begin, vault: Vault, clock: Callable[[], datetime]) -> Mapping[str, Job]:
    def chain_journal() -> None:
        journal_sequencer.run(begin, vault, clock)

    def rotate_keys() -> None:
        with begin() as tx:
            rotation = vault.rotate(tx, by=SERVICE)
        for step in rotation.by_hand:
            _log.warning("a key is due", purpose=step.purpose.value, owner=step.owner)
        for failed in rotation.failed:
            _log.error(
                "a key could not be rotated",
                purpose=failed.step.purpose.value,
                owner=failed.step.owner,
                reason=failed.reason.code,
            )

    def remind_of_root_lists() -> None:
        with begin() as tx:
            due = crl_publishing.roots_due(tx, clock())
        for root in due:
            _log.warning("a root's revocation list is due", authority=root)

    # Two jobs: lists that cannot be made do not let the answers run out.
    def publish_lists() -> None:
        crl_publishing.refresh(begin, vault, clock)

    def sign_answers() -> None:
        ocsp_publishing.refresh(begin, vault, clock)

    def break_off_sittings() -> None:
        with begin() as tx:
            enrolment.break_off_abandoned(tx, by=SERVICE, now=clock())

    def prune_identity() -> None:
        pruning.run(begin, clock())

    return {
        "chain_journal": Job(chain_journal, every="* * * * *"),
        "rotate_keys": Job(rotate_keys, every="17 3 * * *"),
        "remind_of_root_lists": Job(remind_of_root_lists, every="37 3 * * *"),
        "publish_lists": Job(publish_lists, every="* * * * *"),
        "sign_answers": Job(sign_answers, every="* * * * *"),
        "break_off_sittings": Job(break_off_sittings, every="*/15 * * * *"),
        "prune_identity": Job(prune_identity, every="7 * * * *"),
    }
