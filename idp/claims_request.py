"""The `claims` parameter: single claims asked for, by place (OpenID Connect Core §5.5)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp import sent_json
from idp.sent_json import JsonRefused

_MOST_CLAIMS = 100
_MOST_VALUES = 32
_LONGEST_NAME = 128
_OF_OTHERS = ("verified_claims",)
"""Claims whose request has a form of its own (OpenID Identity Assurance §6)."""


@dataclass(frozen=True, slots=True)
class ClaimsRequest:
    """What is asked for in the ID Token and at userinfo: by claim name, `None` or its conditions
    (`essential`, `value`, `values`; for `verified_claims` the object of OpenID Identity Assurance).
    """

    id_token: Mapping[str, Any] = field(default_factory=dict)
    userinfo: Mapping[str, Any] = field(default_factory=dict)


NO_CLAIMS = ClaimsRequest()


def parse(text: str) -> ClaimsRequest:
    """Read the parameter. Claims nobody knows stay in; whoever releases claims passes them over.

    Raises `JsonRefused`.
    """
    told = sent_json.read(text)
    if not isinstance(told, dict):
        raise JsonRefused("is not an object")
    return ClaimsRequest(_place(told.get("id_token")), _place(told.get("userinfo")))


def values(conditions: Any) -> tuple[Any, ...]:
    """The values asked for by one claim's conditions: those of `value` or `values`, if any."""
    if not isinstance(conditions, dict):
        return ()
    if "value" in conditions:
        return (conditions["value"],)
    return tuple(conditions.get("values", ()))


def is_essential(conditions: Any) -> bool:
    """Is the claim needed for what the person wants to do (§5.5.1)?"""
    return isinstance(conditions, dict) and conditions.get("essential") is True


def _place(asked: Any) -> Mapping[str, Any]:
    """The claims asked for in one place; an absent place and an empty one are the same."""
    if asked is None:
        return {}
    if not isinstance(asked, dict):
        raise JsonRefused("has a place that is not an object")
    if len(asked) > _MOST_CLAIMS or any(len(name) > _LONGEST_NAME for name in asked):
        raise JsonRefused("asks for too much")
    return {
        name: conditions if name in _OF_OTHERS else _conditions(conditions)
        for name, conditions in asked.items()
    }


def _conditions(told: Any) -> Mapping[str, Any] | None:
    """§5.5.1: null, or an object; members we do not know are ignored."""
    if told is None:
        return None
    if not isinstance(told, dict):
        raise JsonRefused("has a claim that is neither null nor an object")
    if not isinstance(told.get("essential", False), bool):
        raise JsonRefused("has an essential that is neither true nor false")
    if "values" in told and not _is_list_of_values(told["values"]):
        raise JsonRefused("has values that are not a short list")
    if "value" in told and "values" in told:
        raise JsonRefused("has both value and values")
    return {name: told[name] for name in ("essential", "value", "values") if name in told}


def _is_list_of_values(told: Any) -> bool:
    return isinstance(told, list) and 0 < len(told) <= _MOST_VALUES
