"""A city beside the province: the same service a second time, with servers of its own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from idp import clients
from idp.clients import Registration
from idp.upstream import SCOPES
from idp.vocabulary import AuthMethod, Realm
from service import embedded, running
from service.settings import Settings
from service.wiring import World

NAME = "city"
_UPSTREAM = """[[upstream]]
name = "province"
issuer = "{issuer}"
client_id = "city"
label_zh = "省级账号"
label_en = "Provincial account"
levels = "as-asserted"
"""


@contextmanager
def city_of(province: World, settings: Settings) -> Iterator[World]:
    """Run a city that believes the province, which knows it as a client; it begins empty.

    It is told by number: browsers share the cookies of one name between its ports.
    """
    var = settings.var.with_name(NAME)
    embedded.forget(var)
    var.mkdir(parents=True, exist_ok=True)
    file = var / "upstreams.toml"
    file.write_text(_UPSTREAM.format(issuer=province.provider.issuer), "utf-8")
    port = _free_port()
    own = {
        "var": var,
        "port": port,
        "public_url": f"http://127.0.0.1:{port}",
        "issuer": "",
        "node": NAME,
        "node_role": "city",
        "upstreams_file": str(file),
    }
    with running.running(settings.model_copy(update=own)) as city:
        _introduce(province, city)
        yield city


def _introduce(province: World, city: World) -> None:
    """Make the city a client of the province, by its keys where it publishes them."""
    asked = Registration(
        client_id=NAME,
        name_zh="示例市（演示）",
        name_en="Example City (sandbox)",
        realm=Realm.CITIZEN,
        auth_method=AuthMethod.PRIVATE_KEY_JWT,
        jwks_uri=f"{city.provider.issuer}/jwks",
        redirect_uris=(f"{city.address}/login/upstream/province/callback",),
        scopes=SCOPES,
    )
    with province.begin() as tx:
        clients.register(tx, province.provider, asked)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
