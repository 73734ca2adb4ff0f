"""What signing in refuses, by whatever method, and what a sign-on may not do."""

from keys.errors import DomainError


class SignInRefused(DomainError):
    """The name or the password is wrong: one answer for both, so that neither can be guessed alone."""

    code = "sign_in.refused"


class PasswordWeak(DomainError):
    """The password is too short, too long, or is the person's own number. Parameter `minimum`."""

    code = "registration.password_weak"


class PasswordLocked(DomainError):
    """Too many wrong passwords for this name. Parameter `hours`: until when at most."""

    code = "sign_in.locked"


class PasswordDiffers(DomainError):
    """What was typed as the present password is not it."""

    code = "password.differs"


class RecoveryRefused(DomainError):
    """ID number and phone are not those of one account: one answer, so that neither is told."""

    code = "recovery.refused"


class SmsCodeGone(DomainError):
    """The SMS code lapsed or was used already: have another sent."""

    code = "sms_code.gone"


class PhoneUnknown(DomainError):
    """Nobody has an account with this phone; only whoever holds it hears so."""

    code = "phone.unknown"


class TotpCodeWrong(DomainError):
    """The code is not what the authenticator app shows now, or was used already."""

    code = "totp.code_wrong"


class TotpEnrolmentGone(DomainError):
    """The authenticator app took too long to be set up: begin again."""

    code = "totp.enrolment_gone"


class SignInTooOld(DomainError):
    """What is to be done needs a sign-in of the last `minutes`."""

    code = "session.too_old"


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


class SecondFactorNeeded(DomainError):
    """What is to be done needs a sign-in by two factors."""

    code = "method.second_factor_needed"


class PasskeyRefused(DomainError):
    """No passkey of an open account answered our challenge: one answer for every reason."""

    code = "passkey.refused"


class PasskeyCopied(PasskeyRefused):
    """The passkey's counter did not go up: it may have been copied, and is not believed."""

    code = "passkey.copied"


class PasskeyKnown(DomainError):
    """The passkey is kept already."""

    code = "passkey.known"


class PasskeyUnknown(DomainError):
    """No such passkey, or not one of the person's own."""

    code = "passkey.unknown"


class QrGone(DomainError):
    """The code on the screen lapsed, was answered, or belongs to another screen or phone."""

    code = "qr.gone"


class QrNotOffered(DomainError):
    """Nobody signs in by a phone here: staff do not, nor does a request to sign in anew."""

    code = "qr.not_offered"


class CertificateProofWrong(DomainError):
    """No certificate came by the connection, or our text was not signed by the certificate's key."""

    code = "certificate_sign_in.proof_wrong"


class CertificateUnfit(DomainError):
    """The certificate is nobody's we trust, out of its time, revoked, or for something else."""

    code = "certificate_sign_in.unfit"


class CertificateStatusUnknown(DomainError):
    """Nobody can tell now whether the certificate was revoked: later perhaps."""

    code = "certificate_sign_in.status_unknown"


class CertificateHolderUnknown(DomainError):
    """The certificate names no open account here; whatever does not agree."""

    code = "certificate_sign_in.holder_unknown"


class CasServiceUnknown(DomainError):
    """No old system is registered under this address."""

    code = "cas.service_unknown"


class CasSignInGone(DomainError):
    """The sign-in for an old system lapsed, was finished already, or belongs to another browser."""

    code = "cas.gone"


class CasRefused(DomainError):
    """The person was not signed in to the old system: they turned back, or may not use it."""

    code = "cas.refused"


class CounterCodeNotOffered(DomainError):
    """A member of staff shows no code at a counter: it is for citizens."""

    code = "counter_code.not_offered"


class CounterCodeWrong(DomainError):
    """The code is unknown, lapsed or read already, or its phone is no longer signed in."""

    code = "counter_code.wrong"


class HotlineUnknown(DomainError):
    """No such hotline for this person's realm."""

    code = "hotline.unknown"


class HotlineNeedsLevel(DomainError):
    """The sign-in is too weak for what this hotline does."""

    code = "hotline.needs_level"


class SocialAccountTaken(DomainError):
    """The social account is bound to somebody else."""

    code = "social_account.taken"


class SocialAccountUnbound(DomainError):
    """The social account is bound to nobody with an open account."""

    code = "social_account.unbound"
