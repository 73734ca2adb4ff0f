"""What nodes refuse one another, and what importing refuses."""

from keys.errors import DomainError


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
