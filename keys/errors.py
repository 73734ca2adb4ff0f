"""The root of every error the packages raise: a stable code and its parameters, no sentence.

Sentences live at the edge, in `service/locale/*/`; the HTTP status in `service/problems.py`.
"""

from typing import ClassVar


class DomainError(Exception):
    """A rule said no. `code` is stable and dotted; `parameters` fill the sentence of that code.

    Parameters never hold an ID number, a phone number or a secret: they reach logs and answers.
    """

    code: ClassVar[str] = "error"

    def __init__(self, **parameters: str | int) -> None:
        super().__init__(self.code, parameters)
        self.parameters = parameters

    def __str__(self) -> str:
        told = " ".join(f"{name}={value!r}" for name, value in self.parameters.items())
        return f"{self.code} {told}".rstrip()
