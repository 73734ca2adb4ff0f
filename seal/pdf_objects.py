"""Reading PDF objects through pyHanko, which follows references by index and by key, and not by `get`."""

from collections.abc import Iterator
from typing import Any


def entry(dictionary: Any, key: str, otherwise: Any = None) -> Any:
    """Return the value of `key` with a reference followed, or `otherwise` where there is none."""
    try:
        return dictionary[key]
    except KeyError:
        return otherwise


def items(array: Any) -> Iterator[Any]:
    """Yield the values of an array with references followed."""
    yield from (array[at] for at in range(len(array)))
