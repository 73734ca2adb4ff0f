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


class LiveCheckError(DomainError):
    """A live check that is of no use."""

    code = "live_check.refused"


class LiveCheckPending(LiveCheckError):
    """The person has not been seen yet."""

    code = "live_check.pending"


class LiveCheckGone(LiveCheckError):
    """The live check was decided or has lapsed, or is not this person's: begin another."""

    code = "live_check.gone"


class PromotionError(DomainError):
    """What was to raise somebody's level did not."""

    code = "promotion.refused"


class PromotionNeedsBasic(PromotionError):
    """Only who stands at 初级 can rise to 中级."""

    code = "promotion.needs_basic"


class PromotionFieldWrong(PromotionError):
    """What was typed for it has the wrong form. Parameter `field`."""

    code = "promotion.field"


class PromotionIdentityDiffers(PromotionError):
    """The source knows somebody else, or not under this name and number."""

    code = "promotion.identity_differs"


class PromotionParticularDiffers(PromotionError):
    """Name and number agree, what was typed or registered besides does not. Parameter `source`."""

    code = "promotion.particular_differs"


class PromotionLiveCheckFailed(PromotionError):
    """The live-person check did not find the person of the register's photo."""

    code = "promotion.live_check_failed"


class PromotionGone(PromotionError):
    """What the person came back with lapsed, was used, or began in another sign-on."""

    code = "promotion.gone"


class CounterError(DomainError):
    """A counter refuses."""

    code = "counter.refused"


class CounterFieldWrong(CounterError):
    """A counter cannot be named so. Parameter `field`."""

    code = "counter.field"


class CounterUnknown(CounterError):
    """No counter has this code."""

    code = "counter.unknown"


class CounterIsNotTheirs(CounterError):
    """The member of staff may not serve at this counter."""

    code = "counter.not_theirs"


class CounterNumberUnknown(CounterError):
    """Nobody is registered with the number on the document."""

    code = "counter.number_unknown"


class CounterPersonDiffers(CounterError):
    """Whoever has this number is registered under another name."""

    code = "counter.person_differs"


class SightingGone(CounterError):
    """The sighting was reviewed already, or is none that waits for it."""

    code = "counter.sighting_gone"


class ClerkReviewsThemselves(CounterError):
    """Nobody confirms what they saw themselves."""

    code = "counter.own_sighting"


class ItemPolicyWrong(DomainError):
    """A policy that says nothing sensible. Parameter `field`."""

    code = "item_policy.wrong"


class ItemUnknown(DomainError):
    """No policy is kept for this item. Parameter `item`."""

    code = "item_policy.unknown"


class DecisionTokenRefused(DomainError):
    """The access token shown is dead, not ours, not this client's business, or of no ladder."""

    code = "decision.token"


class EvidenceUnknown(DomainError):
    """No such evidence, or it was withdrawn already."""

    code = "evidence.unknown"


class StaffNameTaken(DomainError):
    """A staff account with this user name exists."""

    code = "staff.name_taken"


class RoleUnknown(DomainError):
    """No such role. Parameter `role`."""

    code = "staff.role_unknown"


class RolesExclusive(DomainError):
    """An administrator's role stands alone. Parameters `role`, `other`."""

    code = "staff.roles_exclusive"


class RoleReserved(DomainError):
    """Provisioning gives and takes no administrator's role. Parameter `role`."""

    code = "staff.role_reserved"


class RoleOfOperators(DomainError):
    """The role reaches the whole service, and only operators give it. Parameter `role`."""

    code = "staff.role_of_operators"


class GrantsToThemselves(DomainError):
    """Nobody appoints themselves."""

    code = "staff.grants_to_themselves"


class AppointmentUnknown(DomainError):
    """No such appointment, or it has ended."""

    code = "staff.appointment_unknown"


class TimesWrong(DomainError):
    """An end that is not after its beginning."""

    code = "staff.times_wrong"


class GroupUnknown(DomainError):
    """No such group of staff."""

    code = "staff.group_unknown"


class BodyUnknown(DomainError):
    """No such body in the tree. Parameter `body`: a USCC."""

    code = "staff.body_unknown"


class BodyMisplaced(DomainError):
    """A body cannot stand below that one. Parameters `body`, `parent`: USCCs."""

    code = "staff.body_misplaced"


class BodyOutOfReach(DomainError):
    """Whoever asks answers for other bodies than this. Parameter `body`: a USCC."""

    code = "staff.body_out_of_reach"


class LocalAccountWrong(DomainError):
    """An application's own account cannot be linked so. Parameter `field`."""

    code = "staff.local_account_wrong"


class LocalAccountUnknown(DomainError):
    """The person has no such account at the application."""

    code = "staff.local_account_unknown"


class ManagesNobody(DomainError):
    """Whoever asks answers for no staff."""

    code = "staff.manages_nobody"


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


class UpstreamUnknown(DomainError):
    """No upstream of this node has this name."""

    code = "upstream.unknown"


class UpstreamUnavailable(DomainError):
    """The upstream did not answer, or not as OpenID Connect says: try later, or sign in here."""

    code = "upstream.unavailable"


class UpstreamSignInGone(DomainError):
    """The sign-in upstream lapsed, was finished already, or belongs to another browser."""

    code = "upstream.gone"


class UpstreamRefused(DomainError):
    """The upstream signed nobody in: the person turned back, or it would not."""

    code = "upstream.refused"


class UpstreamAnswerWrong(DomainError):
    """What the upstream answered proves nothing; the log says why."""

    code = "upstream.answer_wrong"


class UpstreamPersonUntold(DomainError):
    """The upstream does not tell who the person is, and they were never linked here."""

    code = "upstream.person_untold"


class UpstreamPersonDiffers(DomainError):
    """The upstream has another name for this number than we do: somebody must look into it."""

    code = "upstream.person_differs"


class UpstreamForCitizens(DomainError):
    """Staff are signed in by their own node alone."""

    code = "upstream.for_citizens"


class RegistrationElsewhere(DomainError):
    """This node makes no accounts of its own: people register with the province."""

    code = "registration.elsewhere"


class ReturnAddressUnlisted(DomainError):
    """The address to come back to after registering is not one of a portal on the list."""

    code = "registration.return_unlisted"


class SignInElsewhere(DomainError):
    """This node signs no citizens in itself: they sign in with the province."""

    code = "sign_in.elsewhere"


# Legal entities, mandates and contexts.


class EntityUnknown(DomainError):
    """No legal entity is registered under this."""

    code = "entity.unknown"


class EntityFieldWrong(DomainError):
    """A field of the entity is empty, too long or has characters it cannot have. Parameter `field`."""

    code = "entity.field"


class EntityDiffers(DomainError):
    """The business register does not hold the entity as described. Which of them is not told."""

    code = "entity.differs"


class NotRepresentative(DomainError):
    """The person is not the entity's legal representative."""

    code = "entity.not_representative"


class EntityEnded(DomainError):
    """The entity was deregistered, or its licence was revoked."""

    code = "entity.ended"


class RepresentativeNotRealName(DomainError):
    """Whoever registers an entity must be real-name first."""

    code = "entity.not_real_name"


class EntityNotRegistered(DomainError):
    """The entity stands on no level: it must be registered by its representative first."""

    code = "entity.not_registered"


class NotTaxFiler(DomainError):
    """The tax administration does not know the entity as one that files its taxes."""

    code = "entity.not_tax_filer"


class CertificateOfAnother(DomainError):
    """The certificate is not this entity's."""

    code = "entity.certificate_of_another"


class AliasWrong(DomainError):
    """A former number of an entity cannot be one."""

    code = "entity.alias_wrong"


class AliasTaken(DomainError):
    """Another entity has this former number."""

    code = "entity.alias_taken"


class MandateUnknown(DomainError):
    """There is no such mandate, or none that is this person's business."""

    code = "mandate.unknown"


class MandateHolderUnknown(DomainError):
    """No real-name account has this ID number and this name."""

    code = "mandate.holder_unknown"


class MandateToOneself(DomainError):
    """Nobody needs a mandate of their own."""

    code = "mandate.to_oneself"


class MandateItemsWrong(DomainError):
    """The items are not one to fifty item codes."""

    code = "mandate.items"


class MandateUntilWrong(DomainError):
    """The end is past, or more than `years` years away."""

    code = "mandate.until"


class MandateCitizenUnknown(DomainError):
    """No real-name account has the ID number and the name of who agrees at the counter."""

    code = "mandate.citizen_unknown"


class ApprovalNeedsContext(DomainError):
    """What asks is for a legal entity, or one of a higher level: the person must act for one first."""

    code = "approval.needs_context"


class ContextNotOpen(DomainError):
    """The person may not, or no longer, act so."""

    code = "context.not_open"


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


class PeerWrong(DomainError):
    """Another node cannot be known so. Parameter `field`: name, issuer, keys, keys_url or events_url."""

    code = "peer.wrong"


class PeerExists(DomainError):
    """A peer of this issuer or name is known already."""

    code = "peer.exists"


class PeerUnknown(DomainError):
    """No peer has this issuer identifier."""

    code = "peer.unknown"


class ImportFileWrong(DomainError):
    """A file of users is not what its signature says: refused before any of it is read in."""

    code = "import.file_wrong"


class ImportFileFromFuture(DomainError):
    """A file of users was signed in our future: one of the clocks is wrong."""

    code = "import.file_from_future"


class ImportNotSigned(DomainError):
    """A file of users is not signed by a city that is known here, for this province."""

    code = "import.not_signed"


class ConflictUnknown(DomainError):
    """No such conflict waits for a decision."""

    code = "conflict.unknown"


class ConflictStands(DomainError):
    """The conflict cannot be resolved so: what stood in the way still does."""

    code = "conflict.stands"


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
