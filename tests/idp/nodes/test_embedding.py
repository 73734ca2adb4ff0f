"""Which portals may embed registration, or have people sent back: those on the list, to the letter."""

from dataclasses import replace

import pytest

from idp import registration
from idp.embedding import Embedding, is_origin
from idp.node_errors import RegistrationElsewhere
from idp.node_role import Node
from tests.idp.nodes.federation import Federation
from tests.idp.world import form

EMBEDDING = Embedding(frozenset({"https://portal.city-a.example", "https://b.example:8443"}))


@pytest.mark.parametrize(
    "address",
    [
        "https://portal.city-a.example",
        "https://portal.city-a.example/",
        "https://portal.city-a.example/home?menu=1#top",
        "https://b.example:8443/x",
    ],
)
def test_an_address_of_a_listed_portal_is_gone_back_to(address: str) -> None:
    assert EMBEDDING.return_address(address) == address


@pytest.mark.parametrize(
    "address",
    [
        "",
        "/home",
        "//portal.city-a.example/",
        "http://portal.city-a.example/",
        "https://portal.city-a.example:444/",
        "https://portal.city-a.example.evil.example/",
        "https://portal.city-a.example@evil.example/",
        "https://evil.example/https://portal.city-a.example/",
        "https:/\\evil.example/",
        "https://portal.city-a.example\\@evil.example/",
        "https://portal.city-a.example/\nx",
        "javascript:alert(1)",
        "https://b.example/",
        "https://[::1/",
    ],
)
def test_any_other_address_is_not(address: str) -> None:
    assert EMBEDDING.return_address(address) is None


def test_origins_are_written_as_browsers_write_them() -> None:
    assert is_origin("https://portal.city-a.example:8443")
    for wrong in ("https://a.example/", "https://*.a.example", "a.example", "https://A.example"):
        assert not is_origin(wrong)


def test_where_registration_is_elsewhere_no_form_is_taken(federation: Federation) -> None:
    provider = federation.city.provider
    elsewhere = replace(provider, node=replace(provider.node, registers=False))
    with pytest.raises(RegistrationElsewhere):
        registration.begin_registration(elsewhere, form(), "192.0.2.1")
    proven = federation.city.prove(form())
    with pytest.raises(RegistrationElsewhere), federation.city.begin() as tx:
        registration.open_account(tx, elsewhere, proven)


def test_a_node_alone_is_a_province_that_does_everything_itself() -> None:
    node = Node()
    node.require_registration()
    node.require_sign_in()
    assert node.registrar is None
