"""Signing in by each method, as its pages do it but without HTTP: by one client, and by four at once.

Each client is a citizen at a browser that is known, and each sign-in opens a session. A line's note is
the median ratio to what is measured in turns with it: one client's to argon2id alone, four clients'
to one's. What happens elsewhere costs nothing here (the SMS gateway) or is part of it (the signatures
of the passkey's device and of the certificate's holder, a small part).
"""

import base64
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count
from threading import Barrier
from types import MappingProxyType

from pyotp import TOTP

from benchmarks.measuring import Measurement
from benchmarks.scratch import NOW, Ground, wired
from idp import passwords, registration, sessions
from idp.levels import FOUR_PARTICULARS, EvidenceKind
from idp.method import Method
from idp.methods import (
    certificate_sign_in,
    passkey_ceremonies,
    passkey_sign_in,
    passkeys,
    password_sign_in,
    qr_sign_in,
    sms_sign_in,
    totp,
    totp_sign_in,
)
from idp.methods.certificate_sign_in import Signed
from idp.methods.passkey_sign_in import Sent
from idp.methods.password_sign_in import Typed
from idp.methods.sign_in import Entry
from idp.provider import Provider
from idp.register_check import Confirmed
from idp.registration import Applicant, Proven
from idp.sessions import Opened, SignOn
from idp.vocabulary import Realm
from keys import certificate_issuing
from keys.algorithms import ES256
from keys.certificate_names import Subject
from keys.certificate_profiles import PERSON
from keys.signature_value import to_x509
from keys.software_signer import SoftwareSigner, generate
from service.chance import Chance, real_chance
from tests.idp.authenticator import Authenticator

Once = Callable[[], object]

_AT_ONCE = 4
_ROUNDS = 3
_SECONDS = 1.0
_NAME = "钱三强"
_PASSWORD = "a password of nobody"  # noqa: S105 - of people who live for a minute
_APP = "BENCHSECRETOFTHEBENCHANDNOOTHERS"
_TWO_FACTORS = (Method.PASSWORD, Method.SMS_CODE)
_BY = "bench"


class Phones:
    """The SMS gateway and everybody's phone: each knows the last code it was sent."""

    def __init__(self) -> None:
        self.codes: dict[str, str] = {}

    def send(self, phone: str, template: str, parameters: Mapping[str, str]) -> str:
        """Let the phone have the code."""
        self.codes[phone] = parameters["code"]
        return f"{template}-1"


@dataclass
class Client:
    """A citizen at a browser, with a clock of their own: the codes of an app are good once."""

    provider: Provider
    ground: Ground
    authority: str
    phones: Phones
    serial: int
    now: datetime = NOW
    subject: str = ""
    sent: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.provider = replace(self.provider, clock=lambda: self.now)
        with self.provider.begin() as tx:
            proven = _proven(self, passwords.protect(self.provider, _PASSWORD))
            self.subject = registration.open_account(tx, self.provider, proven).subject

    @property
    def phone(self) -> str:
        return f"139{self.serial:08d}"

    @property
    def browser(self) -> str:
        return f"the browser of {self.serial}"

    @property
    def entry(self) -> Entry:
        return Entry("192.0.2.1", "Edge · Windows", browser=self.browser)

    def address(self) -> str:
        """Another address each time: none sends many messages."""
        sent = next(self.sent)
        return f"10.{self.serial}.{sent // 250}.{sent % 250}"

    def signed_on(self) -> SignOn:
        """The person's session at another device, by two factors."""
        citizen = Realm.CITIZEN
        with self.provider.begin() as tx:
            opened = sessions.open_session(tx, self.provider, citizen, self.subject, _TWO_FACTORS)
            return opened.session


def measurements() -> Iterator[Measurement]:
    """Yield two lines for each method, after what they are beside."""
    chance, phones = Chance(lambda: NOW, real_chance().random), Phones()
    with wired(chance) as world, ThreadPoolExecutor(_AT_ONCE) as threads:
        provider = replace(world.provider, sources=replace(world.provider.sources, sms=phones))
        ground = Ground(world.begin, world.vault)
        authority, serials = ground.authority(ES256), count(1)
        yield Measurement("one argon2id check", *_slice(_argon2id))
        for what, method in METHODS.items():
            clients = [
                Client(provider, ground, authority, phones, next(serials)) for _ in range(_AT_ONCE)
            ]
            yield from _measured(what, [method(client) for client in clients], threads)


def _measured(what: str, ways: list[Once], threads: ThreadPoolExecutor) -> Iterator[Measurement]:
    alone, together, beside = list[tuple[int, float]](), list[tuple[int, float]](), list[float]()
    for once in ways:
        once()
    for _ in range(_ROUNDS):
        beside.append(_rate([_slice(_argon2id)]))
        alone.append(_slice(ways[0]))
        together.append(_at_once(ways, threads))
    to_argon2id = statistics.median(_rate([a]) / b for a, b in zip(alone, beside, strict=True))
    to_one = statistics.median(
        _rate([t]) / _rate([a]) for t, a in zip(together, alone, strict=True)
    )
    yield Measurement(what, *_sum(alone), f"{to_argon2id:.2f} × argon2id alone")
    yield Measurement(f"{what}, {_AT_ONCE} at once", *_sum(together), f"{to_one:.2f} × one")


def _argon2id() -> None:
    passwords.is_right("a wrong password", None)


def _slice(once: Once, begin: Callable[[], object] = lambda: None) -> tuple[int, float]:
    """Run for the seconds given; return how often, and in how many."""
    begin()
    runs, began = 0, time.perf_counter()
    while (took := time.perf_counter() - began) < _SECONDS:
        once()
        runs += 1
    return runs, took


def _at_once(ways: list[Once], threads: ThreadPoolExecutor) -> tuple[int, float]:
    ready = Barrier(len(ways))
    slices = list(threads.map(lambda once: _slice(once, ready.wait), ways))
    return sum(runs for runs, _ in slices), max(seconds for _, seconds in slices)


def _sum(slices: list[tuple[int, float]]) -> tuple[int, float]:
    return sum(runs for runs, _ in slices), sum(seconds for _, seconds in slices)


def _rate(slices: list[tuple[int, float]]) -> float:
    runs, seconds = _sum(slices)
    return runs / seconds


def _by_password(client: Client) -> Once:
    return lambda: _entered_by_password(client)


def _entered_by_password(client: Client) -> Opened:
    provider = client.provider
    typed = Typed(Realm.CITIZEN, client.phone, _PASSWORD, client.entry)
    with provider.begin() as tx:
        claimed = password_sign_in.claim(tx, provider, typed)
    proven = password_sign_in.prove(provider, claimed)
    with provider.begin() as tx:
        return password_sign_in.enter(tx, provider, proven)


def _by_password_and_app(client: Client) -> Once:
    provider, app = client.provider, TOTP(_APP)
    with provider.begin() as tx:
        totp.keep(tx, provider, Realm.CITIZEN, client.subject, _APP)

    def once() -> None:
        client.now += timedelta(seconds=30)
        opened = _entered_by_password(client)
        own, entry = opened.session, replace(client.entry, session=opened.cookie)
        totp_sign_in.count_try(provider, own)
        with provider.begin() as tx:
            totp_sign_in.enter(tx, provider, entry, own, app.at(client.now))

    return once


def _by_sms(client: Client) -> Once:
    provider = client.provider

    def once() -> None:
        ticket = sms_sign_in.begin(provider, client.phone, client.address())
        proven = sms_sign_in.prove(provider, ticket.handle, client.phones.codes[client.phone])
        with provider.begin() as tx:
            sms_sign_in.enter(tx, provider, client.entry, proven)

    return once


def _by_passkey(client: Client) -> Once:
    provider, device = client.provider, Authenticator(client.provider.public_url)
    own = client.signed_on()
    with provider.begin() as tx:
        asked = passkeys.begin(tx, provider, own, client.browser, _NAME)
    made = passkeys.prove(provider, own, client.browser, device.create(asked))
    with provider.begin() as tx:
        passkeys.add(tx, provider, own, made)

    def once() -> None:
        answer = device.get(passkey_ceremonies.ask_to_sign_in(provider, client.browser))
        with provider.begin() as tx:
            sent = Sent(Realm.CITIZEN, answer, client.entry)
            claimed = passkey_sign_in.claim(tx, provider, sent)
        proven = passkey_sign_in.prove(provider, claimed)
        with provider.begin() as tx:
            passkey_sign_in.enter(tx, provider, proven)

    return once


def _by_phone_that_scans(client: Client) -> Once:
    provider, phone = client.provider, client.signed_on()

    def once() -> None:
        code = qr_sign_in.begin(provider, client.entry, None)
        qr_sign_in.scan(provider, code, phone)
        number = qr_sign_in.screen(provider, code, client.browser).number
        with provider.begin() as tx:
            qr_sign_in.choose(tx, provider, code, phone, number or 0)
        with provider.begin() as tx:
            qr_sign_in.enter(tx, provider, code, client.entry)

    return once


def _by_certificate(client: Client) -> Once:
    provider, holder = client.provider, SoftwareSigner(generate(ES256))
    person = Subject(_NAME, number=client.subject)
    with provider.begin() as tx:
        record = certificate_issuing.issue(
            tx, client.ground.vault, client.authority, PERSON, person, holder.public_key, by=_BY
        )
    certificate = base64.b64encode(record.der).decode()

    def once() -> None:
        nonce = certificate_sign_in.ask(provider, client.browser)
        value = to_x509(ES256, holder.sign(certificate_sign_in.text(provider, nonce).encode()))
        signed = Signed(nonce, certificate, base64.b64encode(value).decode())
        address = client.entry.address
        proven = certificate_sign_in.prove_signature(provider, signed, client.browser, address)
        with provider.begin() as tx:
            certificate_sign_in.enter(tx, provider, proven, Realm.CITIZEN, client.entry)

    return once


METHODS: Mapping[str, Callable[[Client], Once]] = MappingProxyType(
    {
        "password": _by_password,
        "password and app's code": _by_password_and_app,
        "SMS code": _by_sms,
        "passkey": _by_passkey,
        "QR code, by a phone": _by_phone_that_scans,
        "certificate, signed text": _by_certificate,
    }
)


def _proven(client: Client, password_hash: str) -> Proven:
    """Somebody who was never born, as the register would have confirmed them."""
    applicant = Applicant(
        number=f"33010518810101{client.serial:03d}0",
        name=_NAME,
        ethnicity="01",
        sex="1",
        phone=client.phone,
        password_hash=password_hash,
        birthdate="1881-01-01",
    )
    register = EvidenceKind.POPULATION_REGISTER
    confirmed = Confirmed(register, register.value, "bench", FOUR_PARTICULARS)
    return Proven(applicant, "bench", confirmed, client.now)
