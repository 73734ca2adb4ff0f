"""Details of one transaction, by themselves and through a sign-in."""

import json
from typing import Any

import pytest

from idp import authorization_details
from idp.errors import OAuthError

API = "https://api.example/licences"
LOOKUP = {"type": "licence_lookup", "licence_type": "food_permit", "matter": "开设分店"}
SHARE = {
    "type": "licence_share",
    "identifier": "1.2.156.3005.2",
    "recipient": "11990100MBXX90018M",
    "matter": "贷款申请",
    "fields": ["holder_name"],
    "locations": [API],
}


def parse(told: Any) -> tuple[Any, ...]:
    text = told if isinstance(told, str) else json.dumps(told, ensure_ascii=False)
    return authorization_details.parse(text, ("licence_lookup", "licence_share"), (API,))


def test_details_of_known_types_are_read_as_they_were_told() -> None:
    assert parse([LOOKUP, SHARE]) == (LOOKUP, SHARE)


@pytest.mark.parametrize(
    "told",
    [
        "",
        "{",
        LOOKUP,
        [],
        ["licence_lookup"],
        [LOOKUP] * 9,
        [{"type": "payment"}],
        [{"type": 7}],
        [{"licence_type": "food_permit"}],
        [LOOKUP | {"colour": "vermilion"}],
        [LOOKUP | {"matter": ""}],
        [LOOKUP | {"matter": "x" * 121}],
        [LOOKUP | {"matter": "hidden\u202etext"}],
        [LOOKUP | {"licence_type": ["food_permit"]}],
        [SHARE | {"recipient": "nobody"}],
        [LOOKUP | {"matter": "开" * 120, "licence_type": "x" * 64}] * 8 + [SHARE],
        [SHARE | {"fields": [f"{'f' * 60}{n}" for n in range(70)]}],
        [SHARE | {"locations": ["https://elsewhere.example"]}],
    ],
)
def test_what_is_not_a_known_detail_is_refused_without_repeating_it(told: Any) -> None:
    with pytest.raises(OAuthError) as refused:
        parse(told)
    assert refused.value.error == "invalid_authorization_details"
    assert "vermilion" not in refused.value.description
    assert refused.value.description.isascii()


def test_a_known_type_is_allowed_only_to_a_client_registered_for_it() -> None:
    with pytest.raises(OAuthError) as refused:
        authorization_details.parse(json.dumps([LOOKUP]), (), ())
    assert refused.value.error == "invalid_authorization_details"
