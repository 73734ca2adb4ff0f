"""What identity refuses, in three manners: shown to the person, sent back to the client, or told in JSON.

A `DisplayedError` is raised before the redirect URI is trusted and is drawn on a page; a
`RedirectedError` goes to that URI (RFC 6749 §4.1.2.1); an `OAuthError` is the JSON of the token
and userinfo endpoints (RFC 6749 §5.2, RFC 6750 §3.1). Everything else is a plain `DomainError`
for the pages, a stable code and its parameters, in the `*_errors` of its family.
"""

from collections.abc import Mapping
from typing import Any

from idp.vocabulary import OAuthCode
from keys.errors import DomainError


class DisplayedError(DomainError):
    """An authorization request that must not be answered by a redirect: drawn on a page, status 400."""

    code = "authorize.refused"


class ClientMissing(DisplayedError):
    """`client_id` is absent, repeated or not a client identifier."""

    code = "authorize.client_missing"


class ClientUnknown(DisplayedError):
    """No client has this `client_id`."""

    code = "authorize.client_unknown"


class ClientEnded(DisplayedError):
    """The client's registration has ended."""

    code = "authorize.client_ended"


class RedirectUriMissing(DisplayedError):
    """`redirect_uri` is absent or repeated."""

    code = "authorize.redirect_uri_missing"


class RedirectUriUnregistered(DisplayedError):
    """`redirect_uri` is not, character for character, one the client registered."""

    code = "authorize.redirect_uri_unregistered"


class RequestUriRefused(DisplayedError):
    """`request_uri` leads to no request of this client: unknown, lapsed or answered already."""

    code = "authorize.request_uri"


class RequestObjectRefused(DisplayedError):
    """The request object cannot be read, or is not signed by the client."""

    code = "authorize.request_object"


class InteractionGone(DisplayedError):
    """The sign-in lapsed, was finished already, or belongs to another browser."""

    code = "interaction.gone"


class RequestUnreadable(DisplayedError):
    """The request is not form-encoded UTF-8 text of reasonable length."""

    code = "authorize.unreadable"


class LogoutRefused(DisplayedError):
    """A logout request that is not as it must be: drawn on a page, and nothing is done."""

    code = "logout.refused"


class LogoutHintWrong(LogoutRefused):
    """`id_token_hint` is no ID Token of ours, or not this client's."""

    code = "logout.hint_wrong"


class LogoutClientUnknown(LogoutRefused):
    """No client has this `client_id`, or the one of the hint is gone."""

    code = "logout.client_unknown"


class LogoutAddressUnregistered(LogoutRefused):
    """`post_logout_redirect_uri` is not, character for character, one the client registered."""

    code = "logout.address_unregistered"


class RedirectedError(Exception):
    """An authorization request refused after its redirect URI was trusted.

    `description` is English for developers (RFC 6749 §4.1.2.1) and holds no personal data.
    """

    def __init__(self, error: OAuthCode, description: str) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description


class OAuthError(Exception):
    """A refusal of the token or userinfo endpoint, told in JSON with `status`.

    `challenge` is the value of WWW-Authenticate, if there is to be one; `headers` are any others,
    and `also` further members of the JSON.
    """

    def __init__(
        self,
        error: OAuthCode,
        description: str,
        *,
        status: int = 400,
        challenge: str | None = None,
        headers: Mapping[str, str] | None = None,
        also: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.status = status
        self.challenge = challenge
        self.headers = headers or {}
        self.also = also or {}


class TooManyTries(DomainError):
    """Too many tries in a while. Parameter `seconds`: when to come back."""

    code = "throttle.too_many"


class FieldWrong(DomainError):
    """A registration field has the wrong form. Parameter `field`."""

    code = "registration.field"
