"""Whose pages may show our registration in a frame, or have people sent back to them after it.

An allow-list of origins and nothing cleverer: no patterns, no subdomains, no paths.
"""

import re
from dataclasses import dataclass

from idp.client_uris import origin

_ORIGIN = re.compile(r"https?://[a-z0-9.-]+(:[0-9]{1,5})?", re.ASCII)
_ADDRESS = re.compile(r"[\x21-\x7e]{1,2000}")


@dataclass(frozen=True, slots=True)
class Embedding:
    """The origins of city portals that are allowed."""

    origins: frozenset[str] = frozenset()

    def return_address(self, told: str) -> str | None:
        """The address to send somebody back to, or `None` when it is not on the list."""
        # Browsers read a backslash as a slash, and drop tabs and line ends.
        if not _ADDRESS.fullmatch(told) or "\\" in told:
            return None
        try:
            return told if "://".join(origin(told)) in self.origins else None
        except ValueError:
            return None


def is_origin(text: str) -> bool:
    """Say whether a text is an origin as browsers write one (RFC 6454 §6.2)."""
    return _ORIGIN.fullmatch(text) is not None
