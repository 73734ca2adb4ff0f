"""What legal entities, mandates and contexts refuse."""

from keys.errors import DomainError


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
