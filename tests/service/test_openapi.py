"""The committed OpenAPI files are what the apps are."""

import pytest
import yaml

from service import openapi


def test_the_openapi_files_are_fresh() -> None:
    assert openapi.stale() == [], "run: ./run openapi"


@pytest.mark.parametrize("name", ["idp", "license_store", "seal", "verification", "sources"])
def test_every_operation_has_a_name_of_its_own(name: str) -> None:
    document = yaml.safe_load((openapi.FOLDER / f"{name}.yaml").read_text("utf-8"))
    names = [
        operation["operationId"]
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in ("get", "post", "put", "delete", "patch")
    ]
    assert len(names) == len(set(names)) > 0
