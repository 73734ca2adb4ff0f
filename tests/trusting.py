"""Whom a test trusts."""

from datetime import datetime

from keys.algorithms import Purpose
from seal.ground import Ground


def trusting(*authorities: bytes) -> Ground:
    """Trust these authorities (DER) for every purpose, always."""

    def anchors(_purpose: Purpose, _at: datetime) -> tuple[bytes, ...]:
        return authorities

    return Ground(anchors)
