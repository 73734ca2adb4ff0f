"""The endpoints under requests made up from their own descriptions (openapi/idp.yaml, seal.yaml)."""

from collections.abc import Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from idp import description
from service.sandbox_seals import REVIEWER
from service.seed import CLERK_PASSWORD, SEAL_DESK, STAMPING
from tests.rig import Rig

_CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
_MADE_UP = settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

# A signed event is text to whoever sends it (RFC 8417 §7.2).
schemathesis.serializer.alias("application/secevent+jwt", "text/plain")


def operations(issuer: str) -> list[Any]:
    """Every operation of the description, at `issuer`."""
    schema = schemathesis.openapi.from_dict(description.document(issuer))
    schema.config.update(base_url=issuer)
    return _operations(schema)


def _operations(schema: Any) -> list[Any]:
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.filterwarnings("default")
def test_no_endpoint_answers_otherwise_than_it_says(rig: Rig) -> None:
    for operation in operations(rig.world.provider.issuer):
        _probe(operation, _MADE_UP)


@pytest.mark.filterwarnings("default")
def test_the_seal_api_answers_as_it_says_to_staff_systems_and_strangers(rig: Rig) -> None:
    described = rig.http.get("/api/seals/openapi.json").json()
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=f"{rig.address}/api/seals")
    asked = "openid seal.review seal.make seal.record"
    person = rig.browser().authorize(SEAL_DESK, asked, REVIEWER, CLERK_PASSWORD).access_token
    few = settings(_MADE_UP, max_examples=4)
    for token in (person, rig.client_token(STAMPING, "seal.stamp"), "none"):
        held = {"Authorization": f"Bearer {token}"}
        for operation in _operations(schema):
            _probe(operation, few, held)


def _probe(operation: Any, how: settings, headers: Mapping[str, str] | None = None) -> None:
    @how
    @given(case=operation.as_strategy())
    def probe(case: Any) -> None:
        answer = case.call(allow_redirects=False, headers=headers)
        case.validate_response(answer, checks=_CHECKS)

    probe()
