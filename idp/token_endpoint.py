"""The token endpoint: what a grant entitles to is worked out, minted and told (RFC 6749 §3.2)."""

from idp import grants, revocations, tokens
from idp.call import Answer, Call, told
from idp.entitlement import Entitlement
from idp.provider import Provider
from idp.revocations import GrantMisused


def token(provider: Provider, call: Call) -> Answer:
    """Exchange a grant for tokens. Raises `OAuthError`."""
    return told(tokens.mint(provider, _entitlement(provider, call)).members)


def _entitlement(provider: Provider, call: Call) -> Entitlement:
    client = grants.asking(provider, call)
    try:
        with provider.begin() as tx:
            return grants.authorise(tx, provider, client, call)
    except GrantMisused as refused:
        # The refusal has undone its own transaction; that the grant ends must last.
        with provider.begin() as tx:
            revocations.end_misused(tx, provider, refused)
        raise
