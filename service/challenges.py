"""Why a resource wants another token, as WWW-Authenticate tells it (RFC 6750 §3, RFC 9449 §7.1)."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from starlette.requests import Request

from keys.dpop_proof import ALGORITHMS

_ERRORS: Mapping[str, str] = MappingProxyType(
    {
        "token.scope_missing": "insufficient_scope",
        "token.sign_in_insufficient": "insufficient_user_authentication",
        "token.proof_refused": "invalid_dpop_proof",
        "token.nonce_needed": "use_dpop_nonce",
    }
)
"""The OAuth error of our code; any other `token.` is `invalid_token`."""

_ALGS = f'algs="{" ".join(ALGORITHMS)}"'


def challenge(request: Request, code: str, parameters: Mapping[str, str | int]) -> str:
    """Return the value of WWW-Authenticate for one of our `token.` codes, in the caller's scheme."""
    if code == "token.missing":
        return f"Bearer, DPoP {_ALGS}"
    error = _ERRORS.get(code, "invalid_token")
    told = ", ".join(f'{name}="{value}"' for name, value in _members(error, parameters))
    scheme = request.headers.get("Authorization", "").partition(" ")[0].lower()
    return f"DPoP {told}, {_ALGS}" if scheme == "dpop" else f"Bearer {told}"


def _members(error: str, parameters: Mapping[str, str | int]) -> Iterator[tuple[str, str | int]]:
    yield "error", error
    if error == "insufficient_scope":
        yield from ((name, value) for name, value in parameters.items() if name == "scope")
    if error == "insufficient_user_authentication":
        # RFC 9470 §3: what the person's next sign-in must be.
        if parameters["acr_values"]:
            yield "acr_values", parameters["acr_values"]
        if parameters["max_age"] != -1:
            yield "max_age", parameters["max_age"]
