"""The OpenAPI description of the provider's endpoints, made from their table."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from idp.endpoints import ENDPOINTS, FORM, Endpoint
from idp.schemas import (
    BackchannelAnswer,
    DeviceAnswer,
    Discovery,
    EventRefused,
    KeySet,
    OAuthErrorAnswer,
    TokenAnswer,
    UserInfo,
)
from idp.vocabulary import AuthMethod, GrantType, ResponseMode

_SHAPES: Mapping[str, type[BaseModel]] = {
    "discovery": Discovery,
    "jwks": KeySet,
    "gm_jwks": KeySet,
    "token": TokenAnswer,
    "userinfo": UserInfo,
    "device_authorization": DeviceAnswer,
    "backchannel_authentication": BackchannelAnswer,
}
_CHOICES: Mapping[str, type[GrantType] | type[ResponseMode]] = {
    "grant_type": GrantType,
    "response_mode": ResponseMode,
}
_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "authorize": ("client_id",),
    "token": ("grant_type",),
    "introspection": ("token",),
    "revocation": ("token",),
}
_MEANING: Mapping[int, str] = {
    200: "The answer.",
    201: "Made.",
    202: "Taken.",
    204: "Done.",
    303: "To the next step, or back to the client.",
}
_EVENT = "application/secevent+jwt"
_REFERENCE = "#/components/schemas/{model}"
_FOR_PEOPLE = "Shown to the person on a page: what was asked cannot be answered."


def document(issuer: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of a provider at `issuer`."""
    schemas: dict[str, Any] = {}
    shapes: tuple[type[BaseModel], ...] = (*_SHAPES.values(), OAuthErrorAnswer, EventRefused)
    for shape in shapes:
        schema = shape.model_json_schema(ref_template=_REFERENCE)
        schemas |= schema.pop("$defs", {}) | {shape.__name__: schema}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in ENDPOINTS:
        for method in endpoint.methods:
            paths.setdefault(endpoint.path, {})[method.lower()] = _operation(endpoint, method)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Yinxin OpenID Provider", "version": "1"},
        "servers": [{"url": issuer}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": _security_schemes(),
        },
    }


def _operation(endpoint: Endpoint, method: str) -> dict[str, Any]:
    first = (endpoint.handler.__doc__ or "").partition("\n")[0]
    one_of_many = len(endpoint.methods) > 1 and method != endpoint.methods[0]
    operation: dict[str, Any] = {
        "operationId": f"{endpoint.name}_{method.lower()}" if one_of_many else endpoint.name,
        "summary": first,
        "description": f"{endpoint.specification}.",
        "parameters": [*_in_path(endpoint), *(_in_query(endpoint) if method == "GET" else ())],
        "responses": _responses(endpoint),
    }
    if method in ("POST", "PUT"):
        operation["requestBody"] = _body(endpoint)
    if security := _SECURITY.get(endpoint.name):
        operation["security"] = [{scheme: []} for scheme in security]
    return operation


def _in_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", endpoint.path)
    ]


def _in_query(endpoint: Endpoint) -> list[dict[str, Any]]:
    if endpoint.name == "userinfo":  # RFC 6750 §2.3: a token in a URL is refused
        return []
    return [
        {
            "name": name,
            "in": "query",
            "required": name in _REQUIRED.get(endpoint.name, ()),
            "description": section,
            "schema": _schema(name),
        }
        for name, section in endpoint.parameters.items()
    ]


def _body(endpoint: Endpoint) -> dict[str, Any]:
    if endpoint.takes != FORM:
        kind = "string" if endpoint.takes == _EVENT else "object"
        return {"required": True, "content": {endpoint.takes: {"schema": {"type": kind}}}}
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {
            name: _schema(name) | {"description": section}
            for name, section in endpoint.parameters.items()
        },
    }
    if required := _REQUIRED.get(endpoint.name):
        schema["required"] = list(required)
    return {"required": bool(required), "content": {FORM: {"schema": schema}}}


def _schema(name: str) -> dict[str, Any]:
    if name == "resource":
        return {"type": "array", "items": {"type": "string"}}
    if name in _CHOICES:
        return {"type": "string", "enum": [str(choice) for choice in _CHOICES[name]]}
    return {"type": "string"}


def _responses(endpoint: Endpoint) -> dict[str, Any]:
    answers: dict[str, Any] = {
        str(status): {"description": _MEANING[status]} for status in endpoint.gives
    }
    if shape := _SHAPES.get(endpoint.name):
        good = answers[str(endpoint.gives[0])]
        good["content"] = {"application/json": {"schema": _reference(shape.__name__)}}
    if endpoint.for_people:
        return answers | {"400": {"description": _FOR_PEOPLE}, "503": {"description": _FOR_PEOPLE}}
    refused = EventRefused if endpoint.takes == _EVENT else OAuthErrorAnswer
    told = {"application/json": {"schema": _reference(refused.__name__)}}
    refusals = {
        str(status): {"description": "Refused.", "content": told}
        for status in (400, 401, 403, 429, 503)
    }
    return answers | refusals


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=name)}


_CLIENT = ("client_secret_basic", "client_in_body")
_SECURITY: Mapping[str, tuple[str, ...]] = {
    "par": _CLIENT,
    "token": _CLIENT,
    "introspection": _CLIENT,
    "revocation": _CLIENT,
    "device_authorization": _CLIENT,
    "backchannel_authentication": _CLIENT,
    "userinfo": ("access_token",),
    "registration": ("registration_token",),
    "client_configuration": ("registration_token",),
}


def _security_schemes() -> dict[str, Any]:
    methods = ", ".join(str(method) for method in AuthMethod)
    return {
        "client_secret_basic": {"type": "http", "scheme": "basic"},
        "client_in_body": {
            "type": "apiKey",
            "in": "query",
            "name": "client_id",
            "description": f"In the body, by the method the client registered: {methods}.",
        },
        "access_token": {"type": "http", "scheme": "bearer", "description": "Bearer or DPoP."},
        "registration_token": {
            "type": "http",
            "scheme": "bearer",
            "description": "RFC 7591 §3 initial access token, RFC 7592 §2 registration access token.",
        },
    }
