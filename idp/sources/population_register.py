"""The population register (公安人口库): does it hold a person exactly as described?

The register answers which of the four particulars agree and never sends its own data.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

import httpx2
from pydantic import BaseModel, ConfigDict, ValidationError

from idp.errors import RegisterUnavailable

Particular = Literal["number", "name", "ethnicity", "sex"]
PARTICULARS: tuple[Particular, ...] = ("number", "name", "ethnicity", "sex")


@dataclass(frozen=True, slots=True)
class PersonDescription:
    """What is compared: 身份证号、姓名、民族 (GB/T 3304)、性别 (GB/T 2261.1)."""

    number: str = field(repr=False)
    name: str = field(repr=False)
    ethnicity: str
    sex: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """The register's answer: its own reference and whether each particular agrees."""

    reference: str
    agrees: Mapping[Particular, bool]

    @property
    def complete(self) -> bool:
        """All four agree."""
        return all(self.agrees[particular] for particular in PARTICULARS)


class PopulationRegister(Protocol):
    """The port. Raises `RegisterUnavailable` when there is no answer to rely on."""

    def check(self, person: PersonDescription) -> Agreement: ...


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True)

    reference: str
    agrees: dict[Particular, bool]


class HttpPopulationRegister:
    """The register over HTTP, as `openapi/sources.yaml` describes it."""

    def __init__(self, client: httpx2.Client) -> None:
        """`client` carries the base URL and the timeouts."""
        self._client = client

    def check(self, person: PersonDescription) -> Agreement:
        """Ask once. A late, failing or misshapen answer is `RegisterUnavailable`, never a level."""
        question = {
            "number": person.number,
            "name": person.name,
            "ethnicity": person.ethnicity,
            "sex": person.sex,
        }
        try:
            response = self._client.post("/population-register/checks", json=question)
            response.raise_for_status()
            answer = _Answer.model_validate_json(response.content)
        except (httpx2.HTTPError, ValidationError):
            # The cause may quote the question, which holds the number: cut it off.
            raise RegisterUnavailable from None
        if set(answer.agrees) != set(PARTICULARS):
            raise RegisterUnavailable
        return Agreement(answer.reference, answer.agrees)
