"""What a system that validates a ticket is told: CAS 1.0's two lines, or XML or JSON of 2.0 and 3.0."""

import json
import re
from collections.abc import Mapping
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from idp.cas import Validated

NAMESPACE = "http://www.yale.edu/tp/cas"
_SENTENCES: Mapping[str, str] = {
    "INVALID_REQUEST": "service and ticket are needed",
    "INVALID_TICKET": "the ticket is unknown, lapsed or used",
    "INVALID_SERVICE": "the ticket was given to another service",
}
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
register_namespace("cas", NAMESPACE)


def plain(validated: Validated | None) -> str:
    """CAS 1.0 (§2.4.2)."""
    return "no\n\n" if validated is None else f"yes\n{validated.user}\n"


def xml_success(validated: Validated, *, attributes: bool) -> bytes:
    """§2.5.2; attributes are for those that ask by 3.0 (§2.5.7)."""
    response, success = _response("authenticationSuccess")
    SubElement(success, _name("user")).text = validated.user
    if attributes:
        told = SubElement(success, _name("attributes"))
        for name, values in _listed(validated):
            for value in values:
                SubElement(told, _name(name)).text = _NO_XML.sub("", value)
    return _written(response)


def xml_failure(code: str) -> bytes:
    """§2.5.3."""
    response, failure = _response("authenticationFailure")
    failure.set("code", code)
    failure.text = _SENTENCES[code]
    return _written(response)


def json_success(validated: Validated, *, attributes: bool) -> bytes:
    """§2.5.2, of `format=JSON`."""
    told: dict[str, object] = {"user": validated.user}
    if attributes:
        told["attributes"] = {name: list(values) for name, values in _listed(validated)}
    return _json({"authenticationSuccess": told})


def json_failure(code: str) -> bytes:
    """§2.5.3, of `format=JSON`."""
    failure = {"code": code, "description": _SENTENCES[code]}
    return _json({"authenticationFailure": failure})


def _listed(validated: Validated) -> list[tuple[str, tuple[str, ...]]]:
    return [
        (name, (value,) if isinstance(value, str) else value)
        for name, value in validated.attributes.items()
    ]


def _response(outcome: str) -> tuple[Element, Element]:
    response = Element(_name("serviceResponse"))
    return response, SubElement(response, _name(outcome))


def _written(response: Element) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(response, "unicode").encode()


def _name(name: str) -> str:
    return f"{{{NAMESPACE}}}{name}"


def _json(told: Mapping[str, object]) -> bytes:
    return json.dumps({"serviceResponse": told}, ensure_ascii=False).encode()
