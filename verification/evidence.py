"""What a verdict on seals stands on, out of the public artefacts: authorities, revocations, states."""

from keys.trust import TrustList
from seal.ground import Ground, no_register
from verification.sources import Sources


def ground_of(sources: Sources, trust_list: TrustList) -> Ground:
    """Return the ground of this moment. Seals that are not on our list stand on the trust list alone."""
    seals = sources.seal_list()
    return Ground(
        trust_list.anchors_for,
        crls=sources.revocation_lists(),
        seal_states=seals.state if seals else no_register,
    )
