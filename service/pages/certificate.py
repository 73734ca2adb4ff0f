"""Signing in by a certificate: of the connection, or by signing a text with one's own software."""

from starlette.responses import Response
from starlette.routing import Route

from idp.errors import TooManyTries
from idp.interaction import Details
from idp.methods import certificate_sign_in
from idp.methods.certificate_sign_in import Proven, Signed
from idp.sessions import Opened
from idp.sign_in_errors import (
    CertificateHolderUnknown,
    CertificateProofWrong,
    CertificateStatusUnknown,
    CertificateUnfit,
)
from service.pages import entering
from service.pages.forms import Faults, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/login/certificate"
_REFUSALS = (
    CertificateHolderUnknown,
    CertificateProofWrong,
    CertificateStatusUnknown,
    CertificateUnfit,
    TooManyTries,
)


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, _certificate), methods=["GET", "POST"])]


def shown_certificate(visit: Visit) -> bytes | None:
    """Return the certificate (DER) of the visitor's connection, as the trusted proxy told it."""
    found: bytes | None = visit.request.scope.get("state", {}).get("client_certificate")
    return found


def proven(visit: Visit) -> Proven:
    """Return the certificate that the form proves. Raises as `certificate_sign_in`'s two proofs."""
    provider = visit.world.provider
    if not visit.typed("nonce"):
        der = shown_certificate(visit)
        return certificate_sign_in.prove_connection(provider, der, visit.address)
    signed = Signed(visit.typed("nonce"), visit.typed("certificate"), visit.typed("signature"))
    return certificate_sign_in.prove_signature(provider, signed, visit.browser, visit.address)


def left_empty(visit: Visit) -> Faults:
    """Return what is missing of the form; the certificate of a connection needs nothing typed."""
    faults = Faults()
    for name in ("certificate", "signature") if visit.typed("nonce") else ():
        if not visit.typed(name).strip():
            faults.add(name, visit.t("register.missing", label=visit.t(f"certificate.{name}")))
    return faults


def _certificate(visit: Visit) -> Response:
    asker = entering.asker(visit)
    if not visit.posted:
        return _form(visit, asker, Faults())
    if faults := left_empty(visit):
        return _form(visit, asker, faults, 422)
    try:
        opened = _signed_in(visit, asker)
    except _REFUSALS as refused:
        faults = Faults({"certificate": told(visit, refused)})
        return _form(visit, asker, faults, status_of(refused.code))
    return entering.entered(visit, asker, opened)


def _signed_in(visit: Visit, asker: Details | None) -> Opened:
    provider = visit.world.provider
    shown = proven(visit)
    realm, entry = entering.realm(visit, asker), entering.entry(visit, asker)
    with provider.begin() as tx:
        return certificate_sign_in.enter(tx, provider, shown, realm, entry)


def _form(visit: Visit, asker: Details | None, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    nonce = certificate_sign_in.ask(provider, visit.browser)
    return draw(
        visit,
        "certificate.html",
        status,
        images=[asker.logo_uri] if asker and asker.logo_uri else (),
        asker=asker,
        portal=visit.either(asker.client_name_zh, asker.client_name_en) if asker else "",
        query=entering.query(visit),
        way="certificate",
        ways=entering.ways(visit, asker),
        by_connection=shown_certificate(visit) is not None,
        nonce=nonce,
        text=certificate_sign_in.text(provider, nonce),
        faults=faults,
    )
