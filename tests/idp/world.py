"""A provider on real servers, a browser in front of it, portals behind it: what the tests here play with."""

import logging
import secrets
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from urllib.parse import parse_qsl, urlsplit

import httpx2
import uvicorn
from authlib.integrations.httpx_client import OAuth2Client
from pyotp import TOTP
from redis import Redis
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session, sessionmaker
from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

import idp.http
import idp.jobs
from idp import clients, interaction, registration, sessions, staff
from idp.clients import Registered, Registration
from idp.methods import password_sign_in, totp, totp_sign_in
from idp.methods.password_sign_in import Typed
from idp.methods.sign_in import Entry
from idp.outgoing import Outgoing
from idp.provider import Provider
from idp.registration import Form
from idp.sessions import Opened
from idp.sources.line import Endurance, Source
from idp.sources.line import Line as SourceLine
from idp.sources.sources import over_http
from idp.vocabulary import AuthMethod, GrantType, Realm
from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm, Purpose
from keys.http_signature import sign_request
from keys.protected_numbers import NumberProtector
from keys.signer import PublicKey, Signer
from keys.software_signer import SoftwareSigner, generate
from service.db import reader
from service.simulators.registers import create_app, load_people

PASSWORD = "correct horse 电池"
BODY = "11990100MBXX90018M"
PEOPLE = {person.name: person for person in load_people()}
CLERK_TOTP = "CLERKSECRETOFTHETESTSANDNOOTHERS"
CALLBACK = "https://portal-a.example/callback"


class Clock:
    """Now, until a test moves it."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **duration: float) -> None:
        self.now += timedelta(**duration)


class Stage:
    """An address whose app a test puts there."""

    app: ASGIApp
    url: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """Serve the app on a free loopback port; yield the base URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@cache
def _fixed_signers() -> dict[Algorithm, Signer]:
    """One key of each algorithm for the whole test process: RSA keys take long to make."""
    return {of: SoftwareSigner(generate(of)) for of in (ES256, RS256, PS256, EDDSA, SM2_SM3)}


@dataclass
class Keys:
    """The keys of tokens and of requests of a test provider."""

    signers: dict[tuple[Purpose, Algorithm], Signer] = field(
        default_factory=lambda: {
            (purpose, algorithm): signer
            for purpose in (Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN, Purpose.REQUEST)
            for algorithm, signer in _fixed_signers().items()
        }
    )

    def signer(self, purpose: Purpose, algorithm: Algorithm) -> Signer:
        return self.signers[purpose, algorithm]

    def public(self) -> dict[str, PublicKey]:
        return {key.kid: key for key in (s.public_key for s in self.signers.values())}

    def callers(self) -> dict[str, PublicKey]:
        key = self.signer(Purpose.REQUEST, ES256).public_key
        return {key.kid: key}


class Line:
    """The jobs put in line by transactions that were committed, until a test runs them."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, Mapping[str, str]]] = []

    def defer(self, tx: Session, name: str, arguments: Mapping[str, str]) -> None:
        event.listen(
            tx, "after_commit", lambda _: self.waiting.append((name, arguments)), once=True
        )

    def run(self, provider: Provider) -> None:
        """Run each once, the one that came first first; one that fails waits for the next run."""
        due, self.waiting = self.waiting, []
        table = idp.jobs.jobs(provider)
        for name, arguments in due:
            try:
                table[name](**arguments)
            except Exception:
                logging.getLogger(__name__).exception("job failed")
                self.waiting.append((name, arguments))


def signed(method: str, url: str, body: bytes, clock: Clock | None = None) -> dict[str, str]:
    """The headers of a request to a source; the simulators keep real time, so that is the default."""
    signer = Keys().signer(Purpose.REQUEST, ES256)
    now = datetime.now(UTC) if clock is None else clock()
    return sign_request(signer, method, url, body, now=now, nonce=secrets.token_hex(16))


def source_line(source: Source, client: httpx2.Client, clock: Clock | None = None) -> SourceLine:
    """A line that neither waits between tries nor rests after failures, so that no test sleeps."""
    patient = Endurance(longest_wait=timedelta(0), rest=timedelta(0))
    return SourceLine(
        source,
        client,
        lambda method, url, body: signed(method, url, body, clock),
        lambda: secrets.token_hex(16),
        patient,
    )


def make_provider(
    engine: Engine,
    redis_url: str,
    public_url: str,
    sources: httpx2.Client,
    clock: Clock,
    line: Line | None = None,
) -> Provider:
    """A provider with its real collaborators."""
    keys = Keys()
    return Provider(
        begin=sessionmaker(engine, expire_on_commit=False).begin,
        reading=reader(engine),
        clock=clock,
        random=secrets.token_bytes,
        redis=Redis.from_url(redis_url),
        signer=keys.signer,
        token_keys=keys.public,
        encryption_key=lambda: None,
        opener=lambda kid: None,
        defer=(line or Line()).defer,
        outgoing=Outgoing(loopback_allowed=True),
        protector=NumberProtector(b"i" * 32, b"s" * 32),
        public_url=public_url,
        issuer=f"{public_url}/oidc",
        subject_key=b"p" * 64,
        sources=over_http(lambda source: source_line(source, sources)),
        secret=b"k" * 32,
    )


def simulator() -> ASGIApp:
    """The outside, with the sandbox's people; it is made when somebody asks it something."""

    @cache
    def made() -> ASGIApp:
        return create_app(PEOPLE.values(), lambda: Keys().callers(), lambda: datetime.now(UTC))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await made()(scope, receive, send)

    return app


def mounted(provider: Provider) -> Starlette:
    """The provider where its issuer says it is."""
    below = idp.http.routes(provider, prefix="/oidc")
    return Starlette(routes=[*below, *idp.http.well_known_routes(provider)])


def form(name: str = "张䶮", phone: str = "13800000001", **changed: str) -> Form:
    """What a fixture person types."""
    person = PEOPLE[name]
    typed = {
        "number": person.number,
        "name": person.name,
        "ethnicity": person.ethnicity,
        "sex": person.sex,
        "phone": phone,
        "password": PASSWORD,
    }
    return Form(**(typed | changed))


@dataclass
class World:
    """A running provider and its outside."""

    provider: Provider
    clock: Clock
    sources: httpx2.Client
    line: Line = field(default_factory=Line)
    open: list[httpx2.Client] = field(default_factory=list)

    def close(self) -> None:
        """Hang up, so that no connection outlives the test."""
        for client in self.open:
            client.close()
        self.provider.redis.close()

    def run_jobs(self) -> None:
        """Run every job in line."""
        self.line.run(self.provider)

    @property
    def issuer(self) -> str:
        return self.provider.issuer

    def begin(self) -> AbstractContextManager[Session]:
        return self.provider.begin()

    def inbox(self, phone: str) -> list[dict[str, str]]:
        """The messages a phone got, oldest first; each with its code."""
        found = self.sources.get("/sms-gateway/messages", params={"phone": phone}).json()
        return [message["parameters"] for message in found]

    def outage(self, source: str, *, down: bool = True) -> None:
        asked = {"source": source, "down": down}
        self.sources.post("/sandbox/outage", json=asked).raise_for_status()

    def prove(self, typed: Form, address: str = "192.0.2.1") -> registration.Proven:
        """Fill in the form, read the phone, type the code."""
        ticket = registration.begin_registration(self.provider, typed, address)
        code = self.inbox(typed.phone)[-1]["code"]
        return registration.prove_registration(self.provider, ticket.handle, code)

    def register(self, name: str = "张䶮", phone: str = "13800000001") -> str:
        """Register a fixture person; return the subject."""
        proven = self.prove(form(name, phone))
        with self.begin() as tx:
            return registration.open_account(tx, self.provider, proven).subject

    def clerk(self, username: str = "zhou.yuan", *roles: str) -> str:
        """Open a staff account; return the subject."""
        opening = staff.Opening(username, "周远", BODY, roles or ("licence-clerk",), PASSWORD)
        with self.begin() as tx:
            subject = staff.open_account(tx, self.provider, opening)
            totp.keep(tx, self.provider, Realm.STAFF, subject, CLERK_TOTP)
        return subject

    def client(self, **changed: object) -> Registered:
        """Register a portal for citizens, changed as told."""
        asked: dict[str, object] = {
            "client_id": "portal-a",
            "name_zh": "示例市政务服务网",
            "name_en": "Example City Portal",
            "grant_types": (GrantType.AUTHORIZATION_CODE,),
            "scopes": ("openid", "profile", "phone"),
            "realm": Realm.CITIZEN,
            "redirect_uris": (CALLBACK,),
        }
        with self.begin() as tx:
            return clients.register(tx, self.provider, Registration(**(asked | changed)))  # type: ignore[arg-type]

    def staff_client(self) -> Registered:
        """Register the desk that clerks work at."""
        return self.client(
            client_id="desk",
            realm=Realm.STAFF,
            scopes=("openid", "profile", "licence.issue", "licence.revoke", "licence.read"),
            resources=(f"{self.provider.public_url}/api/licences",),
        )

    def machine(self, **changed: object) -> Registered:
        """Register a department that looks licences up."""
        asked: dict[str, object] = {
            "client_id": "reviewer",
            "realm": None,
            "redirect_uris": (),
            "grant_types": (GrantType.CLIENT_CREDENTIALS,),
            "scopes": ("licence.lookup", "licence.read"),
            "resources": (f"{self.provider.public_url}/api/licences",),
            "organisation": BODY,
        }
        return self.client(**(asked | changed))

    def browser(self) -> "Browser":
        return Browser(self)

    def portal(self, registered: Registered, scope: str = "openid profile") -> "Portal":
        return Portal(self, registered, scope)


def signed_in(provider: Provider, asked: Typed) -> Opened:
    """Sign in as a page does: read, check the password, open the session."""
    with provider.begin() as tx:
        claimed = password_sign_in.claim(tx, provider, asked)
    proven = password_sign_in.prove(provider, claimed)
    with provider.begin() as tx:
        return password_sign_in.enter(tx, provider, proven)


def with_code(world: World, opened: Opened, entry: Entry) -> Opened:
    """Show the authenticator app's code on top, as staff do; set up anew, as codes are good once."""
    own, here = opened.session, replace(entry, session=opened.cookie)
    with world.begin() as tx:
        totp.keep(tx, world.provider, own.realm, own.subject, CLERK_TOTP)
        code = TOTP(CLERK_TOTP).at(world.clock())
        return totp_sign_in.enter(tx, world.provider, here, own, code)


class Browser:
    """A browser that follows no redirect by itself, so that a test sees each step."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.http = httpx2.Client(follow_redirects=False)
        world.open.append(self.http)

    def get(self, url: str) -> httpx2.Response:
        return self.http.get(url)

    def cookie(self, name: str) -> str | None:
        return next((c.value for c in self.http.cookies.jar if c.name == name), None)

    def entry(self, location: str | None, address: str = "192.0.2.7") -> Entry:
        """Where this browser proves something: on the page at `location`, or our own."""
        uid = None if location is None else dict(parse_qsl(urlsplit(location).query))["interaction"]
        return Entry(
            address=address,
            interaction=uid,
            browser=self.cookie(interaction.BROWSER_COOKIE),
            session=self.cookie(sessions.COOKIE),
        )

    def sign_in(
        self,
        location: str | None,
        username: str,
        password: str = PASSWORD,
        address: str = "192.0.2.7",
    ) -> str:
        """Fill in the sign-in page at `location` (or our own) and return where it sends the browser."""
        entry = self.entry(location, address)
        uid = entry.interaction
        asked = Typed(Realm.CITIZEN, username, password, entry)
        opened = signed_in(self.world.provider, asked)
        if opened.session.realm is Realm.STAFF:
            opened = with_code(self.world, opened, entry)
        self.http.cookies.set(sessions.COOKIE, opened.cookie, domain="127.0.0.1", path="/")
        return "" if uid is None else interaction.resume_url(self.world.provider, uid)

    def authorize(self, url: str, username: str) -> str:
        """Go to `url`, sign in when asked to, and return where the browser rests at the client."""
        location = self.get(url).headers["location"]
        if "/login?" in location:
            location = self.get(self.sign_in(location, username)).headers["location"]
        return str(location)


class Portal:
    """A relying party: an OAuth client nobody here wrote."""

    def __init__(self, world: World, registered: Registered, scope: str) -> None:
        self.world = world
        public = registered.client_secret is None
        self.oauth = OAuth2Client(
            client_id=registered.client_id,
            client_secret=registered.client_secret,
            scope=scope,
            redirect_uri=CALLBACK,
            code_challenge_method="S256",
            token_endpoint_auth_method=AuthMethod.NONE if public else AuthMethod.BASIC,
        )
        world.open.append(self.oauth)
        self.verifier = ""
        self.state = ""

    def url(self, **more: str) -> str:
        """A fresh authorization URL."""
        self.verifier = secrets.token_urlsafe(48)
        url, self.state = self.oauth.create_authorization_url(
            f"{self.world.issuer}/authorize", code_verifier=self.verifier, **more
        )
        return str(url)

    def token(self, answer: str) -> dict[str, object]:
        """Exchange the code in the answer; state and iss are checked first."""
        told = answered(answer)
        assert told["state"] == self.state
        assert told["iss"] == self.world.issuer
        token: dict[str, object] = self.oauth.fetch_token(
            f"{self.world.issuer}/token",
            authorization_response=answer,
            code_verifier=self.verifier,
        )
        return token


def answered(location: str) -> dict[str, str]:
    """The query of a redirect to a client."""
    return dict(parse_qsl(urlsplit(location).query))


@contextmanager
def heard(level: int = logging.DEBUG) -> Iterator[list[str]]:
    """Everything any logger says meanwhile, extras included."""
    lines: list[str] = []

    class Ear(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.getMessage()} {record.__dict__}")

    ear, root = Ear(), logging.getLogger()
    before = root.level
    root.addHandler(ear)
    root.setLevel(level)
    try:
        yield lines
    finally:
        root.removeHandler(ear)
        root.setLevel(before)
