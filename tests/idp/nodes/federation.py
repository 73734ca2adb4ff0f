"""A city and its province as two real nodes, and a person with one browser between them."""

from dataclasses import dataclass, replace
from urllib.parse import parse_qsl, urlsplit

from idp.clients import Registered
from idp.methods.sign_in import Entry
from idp.node_role import Node, Role
from idp.nodes import upstream_sign_in
from idp.nodes.upstream_sign_in import Proven, Returned, Start
from idp.outgoing import Outgoing
from idp.provider import Provider
from idp.sessions import Opened
from idp.upstream import SCOPES, Upstream
from idp.vocabulary import AuthMethod
from keys.algorithms import ES256, Algorithm, Purpose
from keys.signer import Signer
from keys.software_signer import SoftwareSigner, generate
from tests.idp.world import Browser, Keys, World

AT_CITY = "a browser, as the city knows it"
CITY = "city-a"


def own_keys() -> Keys:
    """Keys that no other node has."""
    keys = Keys()
    fresh: dict[tuple[Purpose, Algorithm], Signer] = {
        (purpose, ES256): SoftwareSigner(generate(ES256))
        for purpose in (Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN)
    }
    return Keys(keys.signers | fresh)


def upstream_at(issuer: str, name: str = "province", **changed: object) -> Upstream:
    """What the city's operator wrote down."""
    told = Upstream(
        name=name, issuer=issuer, client_id=CITY, label_zh="省级账号", label_en="Provincial account"
    )
    return replace(told, **changed)  # type: ignore[arg-type]


def city_of(provider: Provider, *upstreams: Upstream, **changed: object) -> Provider:
    """The provider as a city that believes these."""
    keys = own_keys()
    node = Node(
        name=CITY,
        role=Role.CITY,
        upstreams={upstream.name: upstream for upstream in upstreams},
        line=Outgoing(loopback_allowed=True, seconds=3),
    )
    node = replace(node, **changed)  # type: ignore[arg-type]
    return replace(provider, node=node, signer=keys.signer, token_keys=keys.public)


@dataclass
class Federation:
    """The two nodes; `cookie` is by what the city knows the browser in front of it."""

    province: World
    city: World
    client: Registered
    cookie: str = AT_CITY

    @property
    def upstream(self) -> Upstream:
        return self.city.provider.node.upstream("province")

    def begin(self, name: str = "province", interaction: str | None = None) -> str:
        start = Start(browser=self.cookie, interaction=interaction, next="/my/licences")
        return upstream_sign_in.begin(self.city.provider, name, start)

    def away(self, at: Browser, url: str, username: str) -> str:
        """Sign in at the province when it asks; return where it sends the browser."""
        return at.authorize(url, username)

    def proven(self, location: str, name: str = "province") -> Proven:
        """What the city makes of where the browser came back."""
        provider, told = self.city.provider, dict(parse_qsl(urlsplit(location).query))
        begun = upstream_sign_in.taken(provider, name, told["state"], self.cookie)
        returned = Returned(told.get("code", ""), told.get("error", ""), told.get("iss", ""))
        return upstream_sign_in.prove(provider, begun, returned)

    def enter(self, proven: Proven, interaction: str | None = None) -> Opened:
        entry = Entry("192.0.2.8", interaction=interaction, browser=self.cookie)
        with self.city.begin() as tx:
            return upstream_sign_in.enter(tx, self.city.provider, proven, entry)

    def sign_in(self, username: str, at: Browser | None = None) -> Opened:
        """The whole way, from the city's sign-in page to a session there."""
        at = at or self.province.browser()
        return self.enter(self.proven(self.away(at, self.begin(), username)))


def register_city(province: World, city: World) -> Registered:
    """Make the city a client of the province, by its keys where it publishes them."""
    provider = city.provider
    return province.client(
        client_id=CITY,
        name_zh="示例市",
        name_en="Example City",
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        jwks_uri=f"{provider.issuer}/jwks",
        redirect_uris=(f"{provider.public_url}/login/upstream/province/callback",),
        scopes=SCOPES,
        backchannel_logout_uri=f"{provider.issuer}/upstream-logout/province",
        backchannel_logout_session_required=True,
    )
