"""What a verdict on seals stands on, out of the public artefacts: authorities, revocations, states.

Whoever can keep an artefact from a verifier gains nothing by it: a stopped seal is not taken for a
good one because nobody could look it up.
"""

from dataclasses import dataclass

from keys.trust import TrustList
from seal.ground import Ground, no_register
from seal.report import Finding, Outcome
from verification.sources import Sources


@dataclass(frozen=True, slots=True)
class Evidence:
    """The ground of this moment, and what should be in it and could not be had."""

    ground: Ground
    gaps: tuple[Finding, ...]


def evidence_of(sources: Sources, trust_list: TrustList) -> Evidence:
    """Return what is at hand now. Seals that are not on our list stand on the trust list alone."""
    seals, revoked = sources.seal_list(), sources.revocation_lists()
    gaps = [
        Finding("document.evidence", Outcome.UNKNOWN, f"{artefact}.unavailable")
        for artefact, had in (("seal_list", seals), ("revocation_lists", revoked))
        if had is None
    ]
    ground = Ground(
        trust_list.anchors_for,
        crls=revoked or (),
        seal_states=seals.state if seals else no_register,
    )
    return Evidence(ground, tuple(gaps))
