"""Every endpoint of the provider as one table: where, what it takes, by which specification.

The routes, the OpenAPI description and `docs/idp.md` are made from it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from idp import (
    backchannel_authentication,
    device,
    discovery,
    dispatch,
    introspection,
    logout,
    pushed,
    registration_endpoint,
    revocation,
    token_endpoint,
    trust_framework,
    userinfo,
)
from idp.call import Answer, Call
from idp.nodes import listening, upstream_sessions
from idp.provider import Provider
from idp.vocabulary import (
    AUTHORIZE_PARAMETERS,
    BACKCHANNEL_PARAMETERS,
    DEVICE_PARAMETERS,
    END_SESSION_PARAMETERS,
    INTROSPECTION_PARAMETERS,
    PUSHED_PARAMETERS,
    REVOCATION_PARAMETERS,
    TOKEN_PARAMETERS,
)

Handler = Callable[[Provider, Call], Answer]
FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint.

    `path` is below the issuer; `{path}` in it is what `Call.path` gets. `parameters` are those it
    understands, each with its section; `gives` is the statuses of its good answers; `takes` is the
    media type of a POST's body. `for_people`: errors are drawn on a page, else told in OAuth's JSON.
    `at_once` is asked before `handler`, in the event loop: it waits for nothing, or tells `None`.
    `for_all`: the answer is the same whoever asks, and is made ahead. `for_scripts`: pages of any
    origin may call it, as no cookie counts there (the Fetch standard §3.2).
    """

    name: str
    path: str
    methods: tuple[str, ...]
    handler: Handler
    specification: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    gives: tuple[int, ...] = (200,)
    takes: str = FORM
    for_people: bool = False
    at_once: Callable[[Provider, Call], Answer | None] | None = None
    for_all: bool = False
    for_scripts: bool = False


ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint(
        "discovery",
        "/.well-known/openid-configuration",
        ("GET",),
        discovery.answer,
        "OpenID Connect Discovery 1.0 §4",
        for_all=True,
        for_scripts=True,
    ),
    Endpoint(
        "jwks",
        "/jwks",
        ("GET",),
        discovery.key_set,
        "RFC 7517 §5",
        for_all=True,
        for_scripts=True,
    ),
    Endpoint(
        "gm_jwks",
        "/jwks/gm",
        ("GET",),
        discovery.gm_key_set,
        "RFC 7517 §5, GM/T 0125-2022",
        for_all=True,
        for_scripts=True,
    ),
    Endpoint(
        "trust_framework",
        "/trust-framework",
        ("GET",),
        trust_framework.answer,
        "ours: the levels that `acr` names",
        for_all=True,
        for_scripts=True,
    ),
    Endpoint(
        "authorize",
        "/authorize",
        ("GET", "POST"),
        dispatch.start,
        "OpenID Connect Core 1.0 §3.1.2",
        for_people=True,
        parameters=AUTHORIZE_PARAMETERS,
        gives=(200, 303),
    ),
    Endpoint(
        "resume",
        "/authorize/{path}",
        ("GET",),
        dispatch.resume,
        "ours: after a page",
        for_people=True,
        gives=(200, 303),
    ),
    Endpoint(
        "par",
        "/par",
        ("POST",),
        pushed.push,
        "RFC 9126 §2",
        parameters=PUSHED_PARAMETERS,
        gives=(201,),
        for_scripts=True,
    ),
    Endpoint(
        "token",
        "/token",
        ("POST",),
        token_endpoint.token,
        "RFC 6749 §3.2",
        parameters=TOKEN_PARAMETERS,
        for_scripts=True,
    ),
    Endpoint(
        "userinfo",
        "/userinfo",
        ("GET", "POST"),
        userinfo.answer,
        "OpenID Connect Core 1.0 §5.3",
        parameters={"access_token": "RFC 6750 §2.2"},
        for_scripts=True,
    ),
    Endpoint(
        "introspection",
        "/introspect",
        ("POST",),
        introspection.answer,
        "RFC 7662 §2",
        parameters=INTROSPECTION_PARAMETERS,
        at_once=introspection.at_once,
    ),
    Endpoint(
        "revocation",
        "/revoke",
        ("POST",),
        revocation.answer,
        "RFC 7009 §2",
        parameters=REVOCATION_PARAMETERS,
        for_scripts=True,
    ),
    Endpoint(
        "device_authorization",
        "/device_authorization",
        ("POST",),
        device.answer,
        "RFC 8628 §3.1",
        parameters=DEVICE_PARAMETERS,
    ),
    Endpoint(
        "backchannel_authentication",
        "/bc-authorize",
        ("POST",),
        backchannel_authentication.answer,
        "CIBA Core 1.0 §7",
        parameters=BACKCHANNEL_PARAMETERS,
    ),
    Endpoint(
        "end_session",
        "/end_session",
        ("GET", "POST"),
        logout.start,
        "OpenID Connect RP-Initiated Logout 1.0 §2",
        for_people=True,
        parameters=END_SESSION_PARAMETERS,
        gives=(200, 303),
    ),
    Endpoint(
        "upstream_logout",
        "/upstream-logout/{path}",
        ("POST",),
        upstream_sessions.answer,
        "OpenID Connect Back-Channel Logout 1.0 §2.5",
        parameters={"logout_token": "Back-Channel Logout 1.0 §2.5"},
    ),
    Endpoint(
        "people_events",
        "/people-events",
        ("POST",),
        listening.people,
        "RFC 8935 §2",
        takes="application/secevent+jwt",
        gives=(202,),
    ),
    Endpoint(
        "people_digests",
        "/people-events/digests",
        ("POST",),
        listening.digests,
        "ours: what a city took",
        takes="application/secevent+jwt",
    ),
    Endpoint(
        "registration",
        "/clients",
        ("POST",),
        registration_endpoint.register,
        "RFC 7591 §3",
        takes="application/json",
        gives=(201,),
    ),
    Endpoint(
        "client_configuration",
        "/clients/{path}",
        ("GET", "PUT", "DELETE"),
        registration_endpoint.manage,
        "RFC 7592 §2",
        takes="application/json",
        gives=(200, 204),
    ),
)
