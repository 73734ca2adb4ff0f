"""What promotions, counters, live checks and decisions refuse."""

from keys.errors import DomainError


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
