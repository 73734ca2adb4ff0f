"""What registering and knowing people refuses, and sources that do not answer."""

from keys.errors import DomainError


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


class PaperDiffers(ParticularsDiffer):
    """Name and number of a paper other than the resident identity card do not belong together."""

    code = "register.paper_differs"


class NationalityOrBirthdateDiffers(ParticularsDiffer):
    """Name and number of such a paper agree; nationality or birth date does not."""

    code = "register.paper_particulars_differ"


class UsernameTaken(DomainError):
    """Somebody else has this user name."""

    code = "registration.username_taken"


class NumberTaken(DomainError):
    """This ID number has an account already: sign in instead."""

    code = "registration.number_taken"


class PhoneTaken(DomainError):
    """This phone number belongs to another account."""

    code = "registration.phone_taken"


class SourceUnavailable(DomainError):
    """An outside source did not answer in time or not as agreed: try later. Parameter `source`."""

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
