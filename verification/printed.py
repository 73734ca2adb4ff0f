"""What a reader sees on the page, and where it differs from the signed data: pure."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Printed:
    """The printed text, and the codes read off the page (`None`: not looked for).

    An OFD tells which text prints which field (`fields`); a PDF only what stands on the page
    (`text`), so there a value counts as printed when it is found anywhere in it.
    """

    codes: tuple[str, ...] | None
    fields: Mapping[str, str] | None = None
    text: str = ""

    def differing(self, expected: Mapping[str, str]) -> tuple[str, ...]:
        """Return the names of the fields that are not printed as `expected` says.

        White space is left out of the comparison: lines are broken to fit the form.
        """
        if self.fields is None:
            text = _squeeze(self.text)
            return tuple(name for name, value in expected.items() if _squeeze(value) not in text)
        names = dict.fromkeys((*expected, *self.fields))
        return tuple(
            name
            for name in names
            if _squeeze(self.fields.get(name, "")) != _squeeze(expected.get(name, ""))
        )


def _squeeze(text: str) -> str:
    return "".join(text.split())
