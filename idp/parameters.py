"""The parameters of an OAuth request, by the rules of RFC 6749 §3.1 and §3.2.

One without a value counts as absent; `resource` may come several times (RFC 8707 §2), any other
at most once: a repeated one has no value here and is listed in `repeated`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

_MAY_REPEAT = "resource"
_MOST_BYTES = 16_384
_MOST_FIELDS = 100


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was sent; read it with `get`."""

    single: Mapping[str, str]
    repeated: frozenset[str]
    resources: tuple[str, ...]

    def get(self, name: str) -> str | None:
        """The value, or `None` when absent, empty or repeated."""
        return self.single.get(name)

    def words(self, name: str) -> tuple[str, ...]:
        """The words of a list in one value (RFC 6749 §3.3)."""
        return tuple(self.single.get(name, "").split())


def parse(encoded: bytes) -> Parameters:
    """Read application/x-www-form-urlencoded text. Raises `ValueError` when it is not, or is huge."""
    if len(encoded) > _MOST_BYTES:
        raise ValueError("too long")
    pairs = parse_qsl(
        encoded.decode("ascii"),
        keep_blank_values=False,
        encoding="utf-8",
        errors="strict",
        max_num_fields=_MOST_FIELDS,
    )
    return gather(pairs)


def gather(pairs: Iterable[tuple[str, str]]) -> Parameters:
    """Sort pairs into single, repeated and resources."""
    single: dict[str, str] = {}
    repeated: set[str] = set()
    resources: list[str] = []
    for name, value in pairs:
        if name == _MAY_REPEAT:
            resources.append(value)
        elif name in single:
            repeated.add(name)
        else:
            single[name] = value
    for name in repeated:
        del single[name]
    return Parameters(single, frozenset(repeated), tuple(resources))
