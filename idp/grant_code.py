"""The authorization code: given once by the dispatcher, taken once at the token endpoint.

Taking is one atomic step in Redis, so of any number of parallel uses exactly one wins. A code
that comes again revokes what the first use gave (RFC 6749 §4.1.2, RFC 9700 §4.2.4).
"""

import base64
import hashlib
import hmac
import logging
import re
from dataclasses import dataclass
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, entitlements, sessions
from idp.approval import Approval
from idp.call import Call
from idp.clients import Client
from idp.entitlement import Entitlement
from idp.errors import OAuthError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.request import AuthorizationRequest
from idp.revocations import GrantMisused
from idp.vocabulary import OAuthCode

_log = logging.getLogger(__name__)
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")  # RFC 7636 §4.1


@dataclass(frozen=True, slots=True)
class Given:
    """What a code stands for, and what whoever redeems it must show."""

    approval: Approval
    redirect_uri: str
    code_challenge: str | None


CODE = artifacts.Kind("code", TypeAdapter(Given), timedelta(seconds=60))
_GRANT = artifacts.Kind("code-grant", TypeAdapter(tuple[str, str]), timedelta(minutes=15))


def give(provider: Provider, approval: Approval, request: AuthorizationRequest) -> str:
    """Make a code for an answered request."""
    given = Given(approval, request.redirect_uri, request.code_challenge)
    code = artifacts.put(provider, CODE, given)
    artifacts.keep(provider, _GRANT, code, (approval.grant_id, approval.client_id))
    return code


def authorise(tx: Session, provider: Provider, client: Client, call: Call) -> Entitlement:
    """Redeem a code (RFC 6749 §4.1.3, RFC 7636 §4.6).

    Raises `OAuthError`; `GrantMisused` for a code that was redeemed before.
    """
    code = call.sent.get("code")
    if code is None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "code is missing")
    given = artifacts.take(provider, CODE, code)
    if given is None:
        raise _unknown(provider, client, code)
    _check_binding(client, call.sent, given)
    approval = given.approval
    if sessions.by_sid(tx, provider, approval.sid) is None:
        raise _invalid("the person has signed out")
    entitlement = entitlements.of_person(tx, provider, client, approval)
    sessions.seen_by(tx, provider, approval.sid, client, entitlement.sub)
    return entitlement


def _unknown(provider: Provider, client: Client, code: str) -> OAuthError:
    """A code that cannot be taken was never given, has lapsed, or is in two hands."""
    description = "the code is unknown, lapsed or used"
    grant_id, given_to = artifacts.get(provider, _GRANT, code) or ("", "")
    # Whose code it was not cannot end what came of it.
    if given_to != client.client_id:
        return _invalid(description)
    _log.warning("code.presented_again", extra={"client_id": client.client_id})
    return GrantMisused(grant_id, client.client_id, "code.presented-again", description)


def _check_binding(client: Client, sent: Parameters, given: Given) -> None:
    if given.approval.client_id != client.client_id:
        raise _invalid("the code was given to another client")
    if sent.get("redirect_uri") != given.redirect_uri:
        raise _invalid("redirect_uri is not the one of the request")
    verifier = sent.get("code_verifier") or ""
    if given.code_challenge is None:
        # RFC 9700 §2.1.1: a verifier without a challenge is a downgrade.
        if verifier:
            raise _invalid("code_verifier without a code_challenge")
        return
    if not _VERIFIER.fullmatch(verifier):
        raise _invalid("code_verifier is missing or malformed")
    if not hmac.compare_digest(_challenge(verifier), given.code_challenge):
        raise _invalid("code_verifier does not match")


def _challenge(verifier: str) -> str:
    """RFC 7636 §4.2, S256."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _invalid(description: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_GRANT, description)
