"""How an authorization answer, good or bad, travels to the client (OpenID Connect Core §3.1.2.5, §3.1.2.6).

By the query of a redirect or by a form that posts itself; plain, or as one signed token (JARM).
"""

import base64
import hashlib
import html
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from idp.call import HTML, NO_STORE, Answer, sent_to
from idp.clients import Client
from idp.errors import RedirectedError
from idp.provider import Provider
from idp.vocabulary import ResponseMode
from keys import jose
from keys.algorithms import ALGORITHMS, Purpose

LIFETIME = timedelta(minutes=10)
"""JARM §2.1 recommends no more."""

SIGNED = frozenset({ResponseMode.JWT, ResponseMode.QUERY_JWT, ResponseMode.FORM_POST_JWT})
POSTED = frozenset({ResponseMode.FORM_POST, ResponseMode.FORM_POST_JWT})

_BY_JOSE_NAME = {algorithm.jose: algorithm for algorithm in ALGORITHMS.values()}
_SCRIPT = "document.forms[0].submit()"
_SCRIPT_HASH = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()

# No `form-action`: browsers apply it to where the client redirects next, too.
_FORM_HEADERS = {
    **NO_STORE,
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'sha256-{_SCRIPT_HASH}'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
_FORM_PAGE = """<!DOCTYPE html>
<html lang="zh-CN">
<head><meta charset="utf-8"><title>正在返回 · Returning</title></head>
<body>
<form method="post" action="{address}">
{fields}
<noscript><p>请点击按钮返回您刚才的网站。<span lang="en">Press the button to return.</span></p>
<button type="submit">继续 · Continue</button></noscript>
</form>
<script>{script}</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where an answer goes, and how: to a redirect URI that is the client's own."""

    redirect_uri: str
    mode: ResponseMode
    state: str | None


def answer(
    provider: Provider, client: Client, to: Destination, members: Mapping[str, str]
) -> Answer:
    """Send the members of an answer with `state` and `iss`; call it outside any transaction.

    A signed answer has its `iss` within (JARM §2.1); any other beside it (RFC 9207 §2).
    """
    told = dict(members) | ({} if to.state is None else {"state": to.state})
    if to.mode in SIGNED:
        told = {"response": _signed(provider, client, told)}
    else:
        told |= {"iss": provider.issuer}
    if to.mode in POSTED:
        return _form(to.redirect_uri, told)
    return sent_to(_with_query(to.redirect_uri, told))


def refusal(provider: Provider, client: Client, to: Destination, reason: RedirectedError) -> Answer:
    """Send an error (RFC 6749 §4.1.2.1)."""
    members = {"error": str(reason.error), "error_description": reason.description}
    return answer(provider, client, to, members)


def _signed(provider: Provider, client: Client, members: Mapping[str, str]) -> str:
    """JARM §2.1."""
    algorithm = _BY_JOSE_NAME[client.authorization_signed_response_alg]
    expires = provider.clock() + LIFETIME
    claims = {
        "iss": provider.issuer,
        "aud": client.client_id,
        "exp": int(expires.timestamp()),
        **members,
    }
    return jose.sign(claims, provider.signer(Purpose.ID_TOKEN, algorithm), "JWT")


def _with_query(redirect_uri: str, members: Mapping[str, str]) -> str:
    joint = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joint}{urlencode(members)}"


def _form(redirect_uri: str, members: Mapping[str, str]) -> Answer:
    """OAuth 2.0 Form Post Response Mode §2."""
    fields = "\n".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in members.items()
    )
    page = _FORM_PAGE.format(address=html.escape(redirect_uri), fields=fields, script=_SCRIPT)
    return Answer(200, page.encode(), HTML, _FORM_HEADERS)
