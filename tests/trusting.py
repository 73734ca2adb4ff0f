"""Whom a test trusts."""

from datetime import datetime

from keys.algorithms import Purpose
from keys.trust import Anchors


def trusting(*authorities: bytes) -> Anchors:
    """Trust these authorities (DER) for every purpose, always."""

    def anchors(_purpose: Purpose, _at: datetime) -> tuple[bytes, ...]:
        return authorities

    return anchors
