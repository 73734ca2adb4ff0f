"""What identity refuses, in three manners: shown to the person, sent back to the client, or told in JSON.

A `DisplayedError` is raised before the redirect URI is trusted and is drawn on a page; a
`RedirectedError` goes to that URI (RFC 6749 §4.1.2.1); an `OAuthError` is the JSON of the token
and userinfo endpoints (RFC 6749 §5.2, RFC 6750 §3.1). Everything else is a plain `DomainError`
for the pages: a stable code and its parameters.
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


class SignInRefused(DomainError):
    """The name or the password is wrong: one answer for both, so that neither can be guessed alone."""

    code = "sign_in.refused"


class TooManyTries(DomainError):
    """Too many tries in a while. Parameter `seconds`: when to come back."""

    code = "throttle.too_many"


class FieldWrong(DomainError):
    """A registration field has the wrong form. Parameter `field`."""

    code = "registration.field"


class PasswordWeak(DomainError):
    """The password is too short, too long, or is the person's own number. Parameter `minimum`."""

    code = "registration.password_weak"


class TicketGone(DomainError):
    """The registration lapsed or was finished already: begin again."""

    code = "registration.gone"


class SmsCodeWrong(DomainError):
    """The SMS code is not the one that was sent. Parameter `left`: tries that remain."""

    code = "sms_code.wrong"


class ParticularsDiffer(DomainError):
    """The population register does not confirm what was typed.

    The code says which kind of thing to correct; the register's own data stays there.
    """

    code = "register.differs"


class IdentityDiffers(ParticularsDiffer):
    """Number and name do not belong together."""

    code = "register.identity_differs"


class EthnicityOrSexDiffers(ParticularsDiffer):
    """Number and name agree; ethnicity or sex does not."""

    code = "register.particulars_differ"


class NumberTaken(DomainError):
    """This ID number has an account already: sign in instead."""

    code = "registration.number_taken"


class PhoneTaken(DomainError):
    """This phone number belongs to another account."""

    code = "registration.phone_taken"


class SourceUnavailable(DomainError):
    """An outside source did not answer in time or not as agreed: try later."""

    code = "source.unavailable"


class RegisterUnavailable(SourceUnavailable):
    """The population register is down."""

    code = "register.unavailable"


class SmsUnavailable(SourceUnavailable):
    """The SMS gateway is down."""

    code = "sms.unavailable"


class AccountUnknown(DomainError):
    """No such account."""

    code = "account.unknown"


class SessionUnknown(DomainError):
    """No such live session, or not one of the person's own."""

    code = "session.unknown"


class UserCodeWrong(DomainError):
    """No device waits under the code that was typed: it is mistyped, lapsed or used."""

    code = "device.code_wrong"


class ApprovalGone(DomainError):
    """What waited for an answer was answered or has lapsed, or is not this person's to answer."""

    code = "approval.gone"


class ApprovalOfOtherRealm(DomainError):
    """What waits is for the public and a member of staff is signed in, or the other way round."""

    code = "approval.other_realm"


class ApprovalNeedsLevel(DomainError):
    """The sign-in is too weak to agree to this; to refuse, any is strong enough."""

    code = "approval.needs_level"


class StaffNameTaken(DomainError):
    """A staff account with this user name exists."""

    code = "staff.name_taken"


class RoleUnknown(DomainError):
    """No such role. Parameter `role`."""

    code = "staff.role_unknown"


class ClientMetadataWrong(DomainError):
    """A client cannot be registered with this metadata. Parameters `field`, `reason`."""

    code = "client.metadata_wrong"


class ClientExists(DomainError):
    """A client with this identifier exists. Parameter `client_id`."""

    code = "client.exists"


class ClientNotFound(DomainError):
    """No client has this identifier."""

    code = "client.not_found"


class ClientFileWrong(DomainError):
    """A file of clients is not a list of JSON objects. Parameter `reason`."""

    code = "client.file_wrong"


class ClientEntryWrong(DomainError):
    """A client of a file cannot be registered. Parameters `entry` (from 1), `field`, `reason`."""

    code = "client.entry_wrong"


class InvitationWrong(DomainError):
    """An initial access token cannot be made so. Parameter `field`."""

    code = "client.invitation_wrong"


class InvitationNotFound(DomainError):
    """No initial access token has this label. Parameter `label`."""

    code = "client.invitation_not_found"
