"""Why a file is turned away before it is judged. Whatever can be judged gets a verdict instead."""

from keys.errors import DomainError


class FileRefused(DomainError):
    """The file cannot be judged at all."""

    code = "file.refused"


class FileTooLarge(FileRefused):
    """Parameter `limit_mib`: the largest size read, in MiB."""

    code = "file.too_large"


class TooManyPixels(FileRefused):
    """Parameter `limit`: the most pixels of a picture that is unpacked."""

    code = "file.too_many_pixels"


class NotALicenceFile(FileRefused):
    """Neither OFD, nor PDF, nor a PNG or JPEG picture, by its first bytes."""

    code = "file.not_a_licence"


class FileDamaged(FileRefused):
    """An OFD or PDF by its first bytes, but cut short or broken so that nothing can be read."""

    code = "file.damaged"


class NoCodeInPicture(FileRefused):
    """A picture in which no code can be read."""

    code = "file.no_code"


class SeveralCodesInPicture(FileRefused):
    """A picture with several licence codes: which one is meant cannot be told."""

    code = "file.several_codes"


class VerificationBusy(FileRefused):
    """Too many files are being judged at this moment: try again in a few seconds."""

    code = "verification.busy"


class TrustListUnavailable(DomainError):
    """The signed trust list, its root or its changes cannot be served now."""

    code = "trust_list.unavailable"


class SealListUnavailable(DomainError):
    """The signed list of seals cannot be served now."""

    code = "seal_list.unavailable"


class RevocationListsUnavailable(DomainError):
    """It cannot be said now which revocation lists there are."""

    code = "revocation_lists.unavailable"
