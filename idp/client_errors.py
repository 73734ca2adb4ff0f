"""What registering clients refuses."""

from keys.errors import DomainError


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
