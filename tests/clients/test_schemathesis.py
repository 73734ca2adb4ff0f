"""The endpoints under requests made up from their own description (openapi/idp.yaml)."""

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
    return [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]


@pytest.mark.filterwarnings("default")
def test_no_endpoint_answers_otherwise_than_it_says(rig: Rig) -> None:
    for operation in operations(rig.world.provider.issuer):

        @_MADE_UP
        @given(case=operation.as_strategy())
        def probe(case: Any) -> None:
            answer = case.call(allow_redirects=False)
            case.validate_response(answer, checks=_CHECKS)

        probe()
