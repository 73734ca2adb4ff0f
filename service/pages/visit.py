"""One visit to a page: from which browser, by whom, in which language, with which form."""

import hmac
from dataclasses import dataclass, field

from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request

from idp import accounts, sessions, staff
from idp.fingerprint import fingerprint
from idp.method import reach
from idp.people_errors import AccountUnknown
from idp.sessions import SignOn
from idp.vocabulary import Realm
from service.locale import t
from service.pages import user_agents
from service.wiring import World

CSRF_FIELD = "csrf"
_FINGERPRINT = "page-form"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who is signed in at this browser."""

    sign_on: SignOn
    name: str

    @property
    def is_citizen(self) -> bool:
        return self.sign_on.realm is Realm.CITIZEN

    @property
    def is_half_way(self) -> bool:
        """Whether what they have shown opens nothing: one factor of staff, a social account alone."""
        return reach(self.sign_on.realm, self.sign_on.methods) == 0


@dataclass(frozen=True, slots=True)
class Visit:
    """What a page is drawn from. `browser` is the value of the browser's cookie, old or new."""

    world: World
    request: Request
    locale: str
    browser: str = field(repr=False)
    visitor: Visitor | None = None
    form: FormData = field(default_factory=FormData, repr=False)

    def t(self, key: str, **parameters: str | int) -> str:
        """Return a sentence in the visitor's language."""
        return t(self.locale, key, **parameters)

    def either(self, chinese: str, english: str) -> str:
        """Return the one of two names that is in the visitor's language."""
        return english if self.locale == "en" else chinese

    def asked(self, name: str) -> str:
        """Return a query parameter, or nothing."""
        return self.request.query_params.get(name, "")

    def typed(self, name: str) -> str:
        """Return the text of a form field, or nothing. Nobody types a NUL, and no column holds one."""
        value = self.form.get(name, "")
        return value.replace("\0", "") if isinstance(value, str) else ""

    def uploaded(self, name: str) -> UploadFile | None:
        """Return the file of a form field, if one was chosen."""
        value = self.form.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None

    @property
    def posted(self) -> bool:
        return self.request.method == "POST"

    @property
    def address(self) -> str:
        """The peer's address, for throttling."""
        return self.request.client.host if self.request.client else ""

    @property
    def device(self) -> str:
        """What the visitor's browser calls itself, as far as it is worth keeping."""
        return user_agents.readable(self.request.headers.get("User-Agent", ""))

    @property
    def csrf_token(self) -> str:
        """What every form of this browser must bring back."""
        return fingerprint(self.world.provider.secret, _FINGERPRINT, self.browser).hex()

    @property
    def is_own_form(self) -> bool:
        """Did one of our pages, drawn for this browser, send this form?"""
        sent = self.typed(CSRF_FIELD).encode("utf-8", "replace")
        return hmac.compare_digest(sent, self.csrf_token.encode())


def visitor_of(world: World, request: Request) -> Visitor | None:
    """Return who is signed in at the browser that sent `request`."""
    cookie = request.cookies.get(sessions.COOKIE)
    if cookie is None:
        return None
    provider = world.provider
    with provider.begin() as tx:
        sign_on = sessions.find(tx, provider, cookie)
        if sign_on is None:
            return None
        try:
            if sign_on.realm is Realm.STAFF:
                return Visitor(sign_on, staff.member(tx, provider, sign_on.subject).name)
            return Visitor(sign_on, accounts.person(tx, provider, sign_on.subject).name)
        except AccountUnknown:
            return None
