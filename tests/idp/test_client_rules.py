"""What a client's metadata must be, whoever registers it, and how it is written and read again."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from idp import client_rules, clients, registration_document
from idp.client_errors import ClientMetadataWrong, ClientNotFound
from idp.client_metadata import Consent, Metadata
from idp.provider import Openness
from idp.registration_members import MEMBERS
from idp.vocabulary import AuthMethod, Delivery, GrantType, Realm, SubjectType
from tests.idp.test_client_auth import JWKS, RSA_KEY, jwk_of
from tests.idp.world import BODY, CALLBACK, World

METADATA = Metadata(
    name_zh="示例门户", name_en="Portal", realm=Realm.CITIZEN, redirect_uris=(CALLBACK,)
)
LEVEL = "urn:yinxin:level:natural:1"
MACHINE = {"grant_types": (GrantType.CLIENT_CREDENTIALS,), "organisation": BODY}
FAPI: dict[str, Any] = {
    "auth_method": AuthMethod.PRIVATE_KEY_JWT,
    "jwks": JWKS,
    "require_pushed_authorization_requests": True,
    "dpop_bound_access_tokens": True,
}
RSA_ENCRYPTION = {
    "id_token_encrypted_response_alg": "RSA-OAEP-256",
    "id_token_encrypted_response_enc": "A256GCM",
    "jwks": {"keys": [{**jwk_of(RSA_KEY, "enc"), "use": "enc"}]},
}


def named(world: World, **changed: Any) -> str:
    """The member that is refused."""
    with pytest.raises(ClientMetadataWrong) as refused:
        client_rules.check(replace(METADATA, **changed), world.provider)
    return str(refused.value.parameters["field"])


@pytest.mark.parametrize(
    "changed",
    [
        {"contacts": ("a@b.example",)},
        MACHINE | {"realm": None, "redirect_uris": ()},
        FAPI,
        RSA_ENCRYPTION,
        {"auth_method": AuthMethod.NONE},
        {"application_type": "native", "redirect_uris": ("cn.example.app:/cb",)},
        {"application_type": "native", "redirect_uris": ("http://127.0.0.1/cb",)},
        {"jwks_uri": "https://portal-a.example/jwks"},
        {"request_uris": ("https://portal-a.example/r#hash",)},
        {"logo_uri": "https://portal-a.example/l.png#x"},
        {"frontchannel_logout_uri": "https://portal-a.example/out"},
        {"minimum_acr": LEVEL, "default_acr_values": (LEVEL,), "default_max_age": 0},
        {"subject_type": SubjectType.PAIRWISE},
        {
            "auth_method": AuthMethod.TLS,
            "tls_client_auth": {"tls_client_auth_subject_dn": "CN=portal-a,O=示例"},
        },
        {
            "grant_types": (GrantType.CIBA,),
            "backchannel_token_delivery_mode": Delivery.PING,
            "backchannel_client_notification_endpoint": "https://portal-a.example/ping",
        },
        {"id_token_signed_response_alg": "SGD_SM3_SM2"},
        {"scopes": ("openid", "client.manage"), "resources": ("urn:example:api",)},
    ],
)
def test_metadata_that_works_is_taken(world: World, changed: dict[str, Any]) -> None:
    client_rules.check(replace(METADATA, **changed), world.provider)


@pytest.mark.parametrize(
    ("changed", "member"),
    [
        ({"name_en": ""}, "client_name"),
        ({"name_zh": "x" * 101}, "client_name"),
        ({"name_zh": "a\nb"}, "client_name"),
        ({"grant_types": ()}, "grant_types"),
        ({"realm": None}, "realm"),
        ({"application_type": "desktop"}, "application_type"),
        ({"auth_method": AuthMethod.NONE, "require_pkce": False}, "require_pkce"),
        (FAPI | {"require_pkce": False}, "require_pkce"),
        ({"grant_types": (GrantType.CLIENT_CREDENTIALS,)}, "organisation"),
        (MACHINE | {"auth_method": AuthMethod.NONE}, "token_endpoint_auth_method"),
        (
            {"grant_types": (GrantType.TOKEN_EXCHANGE,), "auth_method": AuthMethod.NONE},
            "token_endpoint_auth_method",
        ),
        ({"scopes": ("openid", "everything")}, "scope"),
        ({"scopes": ("licence.read",)}, "resources"),
        ({"resources": ("no uri",)}, "resources"),
        ({"resources": ("https://api.example#part",)}, "resources"),
        ({"redirect_uris": ("cn.example.app:/cb",)}, "redirect_uris"),
        ({"post_logout_redirect_uris": ("http://portal.example",)}, "post_logout_redirect_uris"),
        ({"policy_uri": "javascript:alert(1)"}, "policy_uri"),
        ({"initiate_login_uri": "http://portal.example"}, "initiate_login_uri"),
        ({"backchannel_logout_uri": "https://portal.example/#x"}, "backchannel_logout_uri"),
        ({"request_uris": ("ftp://portal.example",)}, "request_uris"),
        ({"frontchannel_logout_uri": "https://other.example/out"}, "frontchannel_logout_uri"),
        ({"jwks": JWKS, "jwks_uri": "https://portal-a.example/jwks"}, "jwks"),
        ({"jwks": {"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}}, "jwks"),
        ({"jwks": {}}, "jwks"),
        ({"auth_method": AuthMethod.PRIVATE_KEY_JWT}, "jwks"),
        ({"auth_method": AuthMethod.SELF_SIGNED_TLS}, "jwks"),
        ({"auth_method": AuthMethod.TLS}, "tls_client_auth_subject_dn"),
        (
            {
                "auth_method": AuthMethod.TLS,
                "tls_client_auth": {
                    "tls_client_auth_san_dns": "a.example",
                    "tls_client_auth_san_ip": "192.0.2.1",
                },
            },
            "tls_client_auth_subject_dn",
        ),
        (
            {
                "auth_method": AuthMethod.TLS,
                "tls_client_auth": {"tls_client_auth_subject_dn": "no name"},
            },
            "tls_client_auth_subject_dn",
        ),
        (
            {
                "auth_method": AuthMethod.TLS,
                "tls_client_auth": {"tls_client_auth_san_ip": "portal"},
            },
            "tls_client_auth_san_ip",
        ),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
        (FAPI | {"userinfo_signed_response_alg": "RS256"}, "userinfo_signed_response_alg"),
        (FAPI | {"request_object_signing_alg": "RS256"}, "request_object_signing_alg"),
        ({"id_token_encrypted_response_enc": "A256GCM"}, "id_token_encrypted_response_enc"),
        (RSA_ENCRYPTION | {"jwks": None}, "id_token_encrypted_response_alg"),
        (
            RSA_ENCRYPTION | {"id_token_encrypted_response_alg": "RSA1_5"},
            "id_token_encrypted_response_alg",
        ),
        (
            RSA_ENCRYPTION | {"id_token_encrypted_response_enc": "A1"},
            "id_token_encrypted_response_enc",
        ),
        (
            {
                "subject_type": SubjectType.PAIRWISE,
                "redirect_uris": (CALLBACK, "https://b.example"),
            },
            "sector_identifier_uri",
        ),
        ({"minimum_acr": "urn:yinxin:level:staff:1"}, "minimum_acr"),
        ({"default_acr_values": ("gold",)}, "default_acr_values"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"grant_types": (GrantType.CIBA,)}, "backchannel_token_delivery_mode"),
        (
            {"backchannel_token_delivery_mode": Delivery.PING},
            "backchannel_client_notification_endpoint",
        ),
    ],
)
def test_metadata_that_cannot_work_is_named(
    world: World, changed: dict[str, Any], member: str
) -> None:
    assert named(world, **changed) == member


@pytest.mark.parametrize(
    "uri",
    [
        "https://portal.example/a b",
        "https://portal.example/\r\nSet-Cookie:x",
        "https://portal.example\\@evil.example/",
        "https://evil.example;script-src/",
        "https://portal.example:99999/",
        "https://:443/",
        "https://[::1/",
        "https://端口.example/",
        "//portal.example/",
        "/callback",
        "HTTPS:portal",
        "urn:example:callback",
        "vbscript:x",
        "myapp:/cb",
        "com.example.app:/cb#part",
        "https://portal.example/" + "x" * 2000,
    ],
)
def test_a_uri_that_leads_astray_is_refused_even_to_a_native_app(world: World, uri: str) -> None:
    changed: dict[str, Any] = {"application_type": "native", "redirect_uris": (uri,)}
    assert named(world, **changed) == "redirect_uris"


def read(world: World, document: dict[str, Any], **more: Any) -> Metadata:
    return registration_document.read(document, world.provider, by_operator=True, **more)


ROUND_TRIPS = st.fixed_dictionaries(
    {},
    optional={
        "client_name": st.text("人名ab ", min_size=1, max_size=20),
        "client_name#en": st.text("ab", min_size=1, max_size=20),
        "redirect_uris": st.lists(st.just(CALLBACK), max_size=2),
        "grant_types": st.lists(st.sampled_from(GrantType), min_size=1, unique=True),
        "scope": st.sampled_from(["openid", "openid profile", "licence.read"]),
        "token_endpoint_auth_method": st.sampled_from(AuthMethod),
        "default_max_age": st.integers(0, 10_000),
        "require_auth_time": st.booleans(),
        "require_pkce": st.just(True),
        "realm": st.sampled_from(Realm),
        "consent": st.sampled_from(Consent),
        "organisation": st.just(BODY),
        "allowed_claims": st.lists(st.sampled_from(["name", "phone_number"])),
        "id_token_signed_response_alg": st.sampled_from(["RS256", "SGD_SM3_SM2"]),
        "tls_client_auth_san_dns": st.just("portal.example"),
        "jwks": st.just(JWKS),
        "require_pushed_authorization_requests": st.booleans(),
        "dpop_bound_access_tokens": st.booleans(),
    },
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(document=ROUND_TRIPS)
def test_what_is_written_of_a_client_is_read_again_alike(
    world: World, document: dict[str, Any]
) -> None:
    metadata = read(world, document)
    written = registration_document.write(metadata)
    assert read(world, written) == metadata
    assert registration_document.write(read(world, written)) == written


def test_every_field_of_metadata_has_its_member() -> None:
    told = {member.field for member in MEMBERS}
    names = {"name_zh", "name_en", "tls_client_auth"}
    assert told | names == set(Metadata.__dataclass_fields__)
    assert len({member.name for member in MEMBERS}) == len(MEMBERS)


def test_what_a_row_keeps_is_what_was_registered(world: World) -> None:
    asked = replace(METADATA, **FAPI, tls_client_auth={"tls_client_auth_san_dns": "a.example"})
    with world.begin() as tx:
        new = clients.register(tx, world.provider, clients.registration(asked))
        kept = clients.get(tx, new.client_id)
    assert clients.registration(kept) == clients.registration(asked)
    assert clients.stored(asked).keys() < {*Metadata.__dataclass_fields__}


@pytest.mark.parametrize("core", [True, False])
def test_pkce_is_left_out_only_by_who_says_nothing_in_a_sandbox(world: World, core: bool) -> None:
    world.provider = replace(world.provider, openness=Openness(core_clients=core))
    silent = {"redirect_uris": [CALLBACK]}
    assert read(world, silent).require_pkce is not core
    assert read(world, silent | {"require_pkce": True}).require_pkce
    assert read(world, silent | {"token_endpoint_auth_method": "none"}).require_pkce


@pytest.mark.parametrize("client_id", ["", "has space", "x" * 129, "门户", "a\x00b"])
def test_an_identifier_that_is_none_is_refused_and_finds_nobody(
    world: World, client_id: str
) -> None:
    asked = replace(clients.registration(METADATA), client_id=client_id or " ")
    with pytest.raises(ClientMetadataWrong), world.begin() as tx:
        clients.register(tx, world.provider, asked)
    with world.begin() as tx:
        assert clients.find(tx, client_id) is None
        assert clients.kept_by(tx, world.provider, client_id, "x") is None
        assert not clients.remove(tx, world.provider, client_id, by="test")
        with pytest.raises(ClientNotFound):
            clients.new_secret(tx, world.provider, client_id, by="test")


def test_a_secret_that_is_given_must_be_hard_to_guess(world: World) -> None:
    for secret in ("short", "x" * 257, "秘密" * 20, ""):
        asked = clients.registration(METADATA, "portal", secret)
        with pytest.raises(ClientMetadataWrong) as refused, world.begin() as tx:
            clients.register(tx, world.provider, asked)
        assert refused.value.parameters["field"] == "client_secret"


def test_a_client_without_a_secret_gets_no_other(world: World) -> None:
    world.client(auth_method=AuthMethod.NONE)
    with world.begin() as tx, pytest.raises(ClientMetadataWrong):
        clients.new_secret(tx, world.provider, "portal-a", by="test")
