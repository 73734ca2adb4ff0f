"""What a person is asked to agree to: the scopes and the single claims of a request, by name."""

from idp import claims_release, verified_claims
from idp.claims_release import VERIFIED
from idp.claims_table import CLAIMS
from idp.clients import Client
from idp.request import AuthorizationRequest

_CLAIM = "claim:"


def items(asked: AuthorizationRequest, client: Client) -> tuple[str, ...]:
    """The scopes, then `claim:NAME` for each claim that no scope asked releases.

    `openid` is one of them: that it is this very person who comes is something to be told too.
    Claims that the client would not be told anyway are nobody's business.
    """
    return (*asked.scopes, *(f"{_CLAIM}{name}" for name in _claims(asked, client)))


def _claims(asked: AuthorizationRequest, client: Client) -> list[str]:
    places = (asked.claims.id_token, asked.claims.userinfo)
    told = {name.partition("#")[0] for place in places for name in place}
    # Who agreed that one claim be told as verified did not agree to the next.
    told |= {name for place in places for name in verified_claims.names(place.get(VERIFIED))}
    singly = [
        name
        for name, claim in CLAIMS.items()
        if name in told
        and claims_release.may_know(client, claim)
        and not set(claim.scopes) & set(asked.scopes)
    ]
    return singly + ([VERIFIED] if VERIFIED in told else [])
