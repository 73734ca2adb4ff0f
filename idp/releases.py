"""Every release of what is known of a person is one event: to whom, where, which claims; never what."""

from collections.abc import Collection

from sqlalchemy.orm import Session

from idp.provider import Provider
from keys import journal


def record(
    tx: Session,
    provider: Provider,
    *,
    client_id: str,
    subject: str,
    grant_id: str,
    place: str,
    claims: Collection[str],
) -> None:
    """Journal that a client is told these claims of a person; of nothing beyond `sub` there is no event."""
    if not claims:
        return
    journal.append(
        tx,
        at=provider.clock(),
        actor=client_id,
        action="claims.released",
        subject=subject,
        details={"claims": " ".join(sorted(claims)), "place": place, "grant": grant_id},
    )
