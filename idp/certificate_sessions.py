"""Sessions signed in by a certificate of ours end when it is suspended or revoked: within a minute.

The register says so, every minute, of the certificates of live sessions: as soon as others hear of it
by the delta list and by OCSP. A certificate that merely expires ends its sessions by itself
(`certificate_sign_in`).
"""

from sqlalchemy import select

from idp import sessions
from idp.provider import Provider
from idp.sessions import Ending
from idp.tables import SessionRow
from keys import register

JOB = "end_sessions_of_revoked_certificates"


def end(provider: Provider) -> int:
    """End what was signed in by a certificate that counts no more; say how many sessions."""
    by_certificate = SessionRow.certificate_serial.is_not(None), SessionRow.ended_at.is_(None)
    live = select(SessionRow.sid, SessionRow.certificate_serial).where(
        *by_certificate, SessionRow.expires_at > provider.clock()
    )
    with provider.begin() as tx:
        shown = {sid: serial or "" for sid, serial in tx.execute(live)}
        gone = register.ceased(tx, frozenset(shown.values()))
        ended = [sid for sid, serial in sorted(shown.items()) if serial in gone]
        why = Ending.CERTIFICATE_REVOKED
        return sum(sessions.end(tx, provider, sid, by="service", why=why) for sid in ended)
