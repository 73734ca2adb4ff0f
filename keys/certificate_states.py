"""What a certificate in the register counts for: valid, suspended or revoked, and why (RFC 5280 §5.3.1)."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from keys.errors import DomainError


class CertificateState(StrEnum):
    """Whether a certificate counts, apart from its dates."""

    VALID = "valid"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class Reason(StrEnum):
    """Why a certificate does not count, as RFC 5280 §5.3.1 spells it; `HOLD` is a suspension's."""

    UNSPECIFIED = "unspecified"
    KEY_COMPROMISE = "keyCompromise"
    CA_COMPROMISE = "cACompromise"
    AFFILIATION_CHANGED = "affiliationChanged"
    SUPERSEDED = "superseded"
    CESSATION = "cessationOfOperation"
    HOLD = "certificateHold"
    PRIVILEGE_WITHDRAWN = "privilegeWithdrawn"


class CertificateStateRefused(DomainError):
    """A certificate in this state cannot go to the one that was asked for."""

    code = "certificate.state_refused"


# Revoking cannot be undone: lists and answers of it are out, and archived by others.
_MOVES: Mapping[CertificateState, frozenset[CertificateState]] = MappingProxyType(
    {
        CertificateState.VALID: frozenset({CertificateState.SUSPENDED, CertificateState.REVOKED}),
        CertificateState.SUSPENDED: frozenset({CertificateState.VALID, CertificateState.REVOKED}),
        CertificateState.REVOKED: frozenset(),
    }
)


def check_move(serial: str, state: CertificateState, wanted: CertificateState) -> None:
    """Do nothing when a certificate may go from `state` to `wanted`. Raises CertificateStateRefused."""
    if wanted not in _MOVES[state]:
        raise CertificateStateRefused(serial=serial, state=state.value, wanted=wanted.value)
