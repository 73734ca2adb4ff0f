"""Two whole services, each with its database: a person walks from a city's page to the province and back."""

import re
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

import httpx2
import pytest
from sqlalchemy import select

from idp import clients
from idp.clients import Registration
from idp.nodes import conflicts
from idp.nodes.tables import UpstreamLinkRow
from idp.tables import PersonRow
from idp.upstream import SCOPES
from idp.vocabulary import AuthMethod, Realm
from service.chance import Chance, real_chance
from service.running import running
from service.seed import PORTAL_A
from service.simulators.registers import load_people
from tests.browser import _hidden_fields, client
from tests.conftest import Clone, settings_of_a_rig
from tests.rig import Citizen, Rig, TestClock, breakable

PROVINCE = """
[[upstream]]
name = "province"
issuer = "{issuer}"
client_id = "{client_id}"
label_zh = "省级账号"
label_en = "Provincial account"
levels = "as-asserted"
registration_url = "{address}/register/from"
"""


class Person:
    """One browser: each node has its own cookies, and redirects are followed between them."""

    def __init__(self) -> None:
        self._http: dict[str, httpx2.Client] = {}

    def get(self, url: str) -> httpx2.Response:
        return self._at(url).get(url)

    def post(self, page: httpx2.Response, form: dict[str, str]) -> httpx2.Response:
        url = str(page.url)
        return self.followed(self._at(url).post(url, data={**form, **_hidden_fields(page.text)}))

    def walk(self, url: str) -> httpx2.Response:
        return self.followed(self.get(url))

    def followed(self, answer: httpx2.Response) -> httpx2.Response:
        """Go where it leads, as far as the callback of a portal."""
        while answer.is_redirect:
            there = urljoin(str(answer.url), answer.headers["Location"])
            if there.startswith(PORTAL_A.redirect_uri):
                break
            answer = self.get(there)
        return answer

    def close(self) -> None:
        for http in self._http.values():
            http.close()

    def _at(self, url: str) -> httpx2.Client:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin not in self._http:
            self._http[origin] = client(origin)
            self._http[origin].headers["Accept-Language"] = "en"
        return self._http[origin]


class Nodes:
    """The running nodes."""

    def __init__(
        self, clone: Clone, template: str, redis: str, folder: Path, stack: ExitStack
    ) -> None:
        self._clone, self._template, self._redis = clone, template, redis
        self._folder, self._stack = folder, stack

    def start(self, name: str, number: int, **settings: Any) -> Rig:
        """Run a node with a database and a Redis of its own."""
        url = self._stack.enter_context(self._clone(self._template))
        told = settings_of_a_rig(
            self._folder / name,
            database_url=url,
            redis_url=self._redis.replace("db=0", f"db={number}"),
            node=name,
            **settings,
        )
        clock, points = TestClock(), set[str]()
        chance = Chance(clock, real_chance().random)
        world = self._stack.enter_context(running(told, chance, breakable(points)))
        rig = Rig(world, clock, points)
        self._stack.callback(rig.close)
        return rig

    def city_of(self, province: Rig, number: int = 1, **settings: Any) -> Rig:
        """Run a city that believes the province, which knows it as a client."""
        file = self._folder / f"upstreams-{number}.toml"
        issuer = province.world.provider.issuer
        told = {"issuer": issuer, "address": province.address, "client_id": f"city-{number}"}
        file.write_text(PROVINCE.format(**told), "utf-8")
        city = self.start(
            f"city-{number}", number, node_role="city", upstreams_file=str(file), **settings
        )
        register(province, city, f"city-{number}")
        return city


def register(province: Rig, city: Rig, client_id: str) -> None:
    asked = Registration(
        client_id=client_id,
        name_zh="示例市",
        name_en="Example City",
        realm=Realm.CITIZEN,
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        jwks_uri=f"{city.world.provider.issuer}/jwks",
        redirect_uris=(f"{city.address}/login/upstream/province/callback",),
        scopes=SCOPES,
    )
    with province.world.begin() as tx:
        clients.register(tx, province.world.provider, asked)


@pytest.fixture
def nodes(clone: Clone, seeded_template: str, redis_url: str, tmp_path: Path) -> Iterator[Nodes]:
    with ExitStack() as stack:
        yield Nodes(clone, seeded_template, redis_url, tmp_path, stack)


@pytest.fixture
def person() -> Iterator[Person]:
    person = Person()
    yield person
    person.close()


def link(page: httpx2.Response, part: str) -> str:
    """The address of the first link that has `part` in it."""
    found = [unescape(href) for href in re.findall(r'href="([^"]+)"', page.text)]
    return urljoin(str(page.url), next(href for href in found if part in href))


def typed(citizen: Citizen) -> dict[str, str]:
    return {"username": citizen.number, "password": citizen.password}


def test_from_a_citys_page_to_the_province_and_back(nodes: Nodes, person: Person) -> None:
    province = nodes.start("province", 0)
    city = nodes.city_of(province)
    citizen = province.person()
    at_city = person.walk(f"{city.address}/my/account")
    assert at_city.url.path == "/login"
    at_province = person.walk(link(at_city, "/login/upstream/province"))
    assert str(at_province.url).startswith(province.address)
    back = person.post(at_province, typed(citizen))
    assert str(back.url).startswith(city.address)
    assert citizen.name in back.text
    assert citizen.number not in back.text


def test_whoever_is_here_by_another_name_is_told_so_and_waits_for_a_decision(
    nodes: Nodes, person: Person
) -> None:
    province = nodes.start("province", 0)
    city = nodes.city_of(province)
    citizen, own = province.person(), city.person()
    assert citizen.number == own.number
    with city.world.begin() as tx:
        tx.get_one(PersonRow, own.subject).name = "张龑"
    at_province = person.walk(f"{city.address}/login/upstream/province")
    told = person.post(at_province, typed(citizen))
    assert told.status_code == 409
    assert "张龑" not in told.text
    assert citizen.number not in told.text
    with city.world.begin() as tx:
        (waits,) = conflicts.waiting(tx)
    assert (waits.came.by, waits.came.reason, waits.came.subject) == (
        "sign-in",
        "name",
        own.subject,
    )


def test_registered_once_and_known_in_every_city(nodes: Nodes, person: Person) -> None:
    province = nodes.start("province", 0)
    cities = [nodes.city_of(province, number) for number in (1, 2)]
    citizen = province.person()
    first = person.walk(f"{cities[0].address}/login/upstream/province")
    assert citizen.name in person.post(first, typed(citizen)).text
    # The second city asks the province, where the person is signed in already.
    second = person.walk(f"{cities[1].address}/login/upstream/province")
    assert str(second.url).startswith(cities[1].address)
    assert citizen.name in second.text
    assert {linked(city) for city in cities} == {citizen.subject}


def linked(city: Rig) -> str:
    """Whom the province told the city of."""
    with city.world.begin() as tx:
        return tx.scalars(select(UpstreamLinkRow.sub)).one()


def test_while_the_province_is_down_its_entry_says_so_and_the_city_goes_on(
    nodes: Nodes, person: Person
) -> None:
    with ExitStack() as province_only:
        outer, nodes._stack = nodes._stack, province_only
        province = nodes.start("province", 0)
        nodes._stack = outer
        city = nodes.city_of(province)
    own = city.person()
    page = person.walk(f"{city.address}/login/upstream/province")
    assert page.status_code == 503
    assert "cannot be reached" in page.text
    welcome = person.post(person.walk(link(page, "/login")), typed(own))
    assert own.name in welcome.text


def test_whoever_registers_at_the_province_is_led_back_to_their_city(
    nodes: Nodes, person: Person
) -> None:
    origin = "https://portal.city-a.example"
    province = nodes.start("province", 0, embedding_origins=origin)
    person.walk(f"{province.address}/register/from?return_to={quote(origin + '/home?a=1')}")
    done = person.get(f"{province.address}/register/done")
    assert link(done, "portal.city-a") == f"{origin}/home?a=1"


def test_a_city_that_registers_nobody_sends_people_to_the_province_and_has_them_back(
    nodes: Nodes, person: Person
) -> None:
    free = "http://localhost:1"
    province = nodes.start("province", 0, embedding_origins=free)
    city = nodes.city_of(province, citizen_registration="upstream")
    away = person.get(f"{city.address}/register")
    assert away.is_redirect
    told = parse_qs(urlsplit(away.headers["Location"]).query)
    assert told["return_to"] == [f"{city.address}/login/upstream/province"]
    # The province does not know this city's portal: nobody is sent just anywhere.
    assert person.walk(away.headers["Location"]).status_code == 400
    assert person.walk(f"{province.address}/register/from?return_to={quote(free)}/x").url.path == (
        "/register"
    )


def test_whoever_comes_from_a_citys_portal_registers_at_the_province_and_goes_on_signed_in(
    nodes: Nodes, person: Person
) -> None:
    port = free_port()
    province = nodes.start("province", 0, embedding_origins=f"http://localhost:{port}")
    city = nodes.city_of(province, citizen_registration="upstream", port=port)
    at_city = person.walk(asking(city))
    form = person.walk(link(at_city, "/register"))
    assert str(form.url).startswith(f"{province.address}/register")
    held = next(iter(load_people()))
    told = {"name": held.name, "number": held.number, "ethnicity": held.ethnicity}
    told |= {"sex": held.sex, "phone": "13800000066", "password": "a long secret of hers"}
    asked = person.post(form, told)
    done = person.post(asked, {"code": province.sms_code("13800000066")})
    assert done.url.path == "/register/done"
    signing_in = person.walk(link(done, city.address))
    assert str(signing_in.url).startswith(f"{province.address}/login")
    back = person.post(signing_in, {"username": held.number, "password": told["password"]})
    answer = parse_qs(urlsplit(back.headers["Location"]).query)
    assert answer["state"] == ["from-the-portal"]
    assert answer["code"]
    account = person.get(f"{city.address}/my/account")
    assert held.name in account.text


def asking(city: Rig) -> str:
    """Where a portal of the city sends somebody to sign in."""
    query = {
        "response_type": "code",
        "client_id": PORTAL_A.client_id,
        "redirect_uri": PORTAL_A.redirect_uri,
        "scope": "openid",
        "state": "from-the-portal",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",  # RFC 7636, Appendix B
        "code_challenge_method": "S256",
    }
    return f"{city.world.provider.issuer}/authorize?{urlencode(query)}"


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def test_only_portals_on_the_list_may_frame_registration(nodes: Nodes, person: Person) -> None:
    province = nodes.start("province", 0, embedding_origins="https://portal.city-a.example")
    policy = person.get(f"{province.address}/register").headers["Content-Security-Policy"]
    assert "frame-ancestors https://portal.city-a.example;" in f"{policy};"
    other = person.get(f"{province.address}/login").headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in other


def test_a_relying_city_shows_no_password_form(nodes: Nodes, person: Person) -> None:
    province = nodes.start("province", 0)
    city = nodes.city_of(province, citizen_sign_in="upstream")
    page = person.walk(f"{city.address}/login")
    assert 'type="password"' not in page.text
    assert "/login/upstream/province" in page.text
