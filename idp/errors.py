"""What identity refuses, in three manners: shown to the person, sent back to the client, or told in JSON.

A `DisplayedError` is raised before the redirect URI is trusted and is drawn on a page; a
`RedirectedError` goes to that URI (RFC 6749 §4.1.2.1); an `OAuthError` is the JSON of the token
and userinfo endpoints (RFC 6749 §5.2, RFC 6750 §3.1). Everything else is a plain `DomainError`
for the pages: a stable code and its parameters.
"""

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


class InteractionGone(DisplayedError):
    """The sign-in lapsed, was finished already, or belongs to another browser."""

    code = "interaction.gone"


class RequestUnreadable(DisplayedError):
    """The request is not form-encoded UTF-8 text of reasonable length."""

    code = "authorize.unreadable"


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

    `challenge` is the value of WWW-Authenticate, if there is to be one.
    """

    def __init__(
        self,
        error: OAuthCode,
        description: str,
        *,
        status: int = 400,
        challenge: str | None = None,
    ) -> None:
        super().__init__(error, description)
        self.error = error
        self.description = description
        self.status = status
        self.challenge = challenge


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


class StaffNameTaken(DomainError):
    """A staff account with this user name exists."""

    code = "staff.name_taken"


class RoleUnknown(DomainError):
    """No such role. Parameter `role`."""

    code = "staff.role_unknown"


class ClientMetadataWrong(DomainError):
    """A client cannot be registered with this metadata. Parameters `field`, `reason`."""

    code = "client.metadata_wrong"


class ClientNotFirstParty(DomainError):
    """Only first-party clients are registered: others would need a consent page, which is not there."""

    code = "client.not_first_party"


class ClientExists(DomainError):
    """A client with this identifier exists. Parameter `client_id`."""

    code = "client.exists"
