"""An entity's own certificate, used by somebody who may act for it: the sign-on is then the entity's.

It is the entity's act, not the person's: the certificate with its PIN raises the entity (企业数字证书用户)
and lifts the limit of an agent, and the journal says by which certificate.
"""

from sqlalchemy.orm import Session

from idp.entities import context, entity, promotions
from idp.entities.promotions import EnterpriseCertificate
from idp.entity_errors import CertificateOfAnother
from idp.methods import certificate_holder
from idp.methods.certificate_sign_in import Proven
from idp.provider import Provider
from idp.sessions import SignOn
from keys import journal


def act_by(tx: Session, provider: Provider, own: SignOn, proven: Proven) -> SignOn:
    """Go on with a sign-on as the entity whose certificate has just been proven to be held.

    Raises `CertificateHolderUnknown` for one that is no entity's, `CertificateOfAnother` for an
    entity that this person may not act for, `EntityNotRegistered`.
    """
    code = certificate_holder.uscc_of(proven.certificate)
    found = entity.find(tx, code)
    choice = next((c for c in context.choices(tx, provider, own) if c.uscc == code), None)
    if found is None or choice is None:
        raise CertificateOfAnother
    used = EnterpriseCertificate(code, proven.thumbprint, proven.certificate.not_after)
    promotions.by_certificate(tx, provider, found, used, by=own.subject)
    journal.append(
        tx,
        at=provider.clock(),
        actor=own.subject,
        action="certificate.used",
        subject=found.subject,
        details={"certificate": proven.thumbprint, "mandate": choice.mandate},
    )
    return context.choose_by_certificate(tx, provider, own, choice.mandate, code)
