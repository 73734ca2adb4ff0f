"""The OpenAPI description is made from the table of endpoints and says what is there."""

import json
import re

from idp import description
from idp.endpoints import ENDPOINTS
from idp.vocabulary import AUTHORIZE_PARAMETERS, CLIENT_PARAMETERS

ISSUER = "https://id.example"


def test_every_endpoint_is_described_with_every_method_and_parameter() -> None:
    paths = description.document(ISSUER)["paths"]
    for endpoint in ENDPOINTS:
        for method in endpoint.methods:
            operation = paths[endpoint.path][method.lower()]
            assert operation["description"] == f"{endpoint.specification}."
            assert operation["summary"], f"{endpoint.name} has a handler without a docstring"


def test_operations_have_names_of_their_own() -> None:
    paths = description.document(ISSUER)["paths"]
    names = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_to_a_schema() -> None:
    document = description.document(ISSUER)
    wanted = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(document)))
    assert wanted <= document["components"]["schemas"].keys()
    assert "OAuthErrorAnswer" in wanted


def test_an_access_token_never_travels_in_the_address_of_userinfo() -> None:
    userinfo = description.document(ISSUER)["paths"]["/userinfo"]
    assert userinfo["get"]["parameters"] == []


def test_a_push_takes_whatever_a_request_does_but_a_reference() -> None:
    """RFC 9126 §2.1: no `request_uri` there, and all that proves who pushes."""
    posted = description.document(ISSUER)["paths"]["/par"]["post"]["requestBody"]
    (form,) = posted["content"].values()
    taken = form["schema"]["properties"].keys()
    assert taken == {*AUTHORIZE_PARAMETERS, *CLIENT_PARAMETERS} - {"request_uri"}
