"""Being seen live, for whichever page asks: sent there, and what came of it when back."""

from starlette.responses import Response

from idp import live_checks
from idp.live_checks import Claim
from idp.sources.live_person import LiveMethod
from service.pages.forms import go
from service.pages.visit import Visit


def send(visit: Visit, claimed: Claim, back: str) -> Response:
    """Send the person to where they are seen, by the method chosen; they come back to the path `back`.

    Raises `TooManyTries`, `SourceUnavailable`.
    """
    provider, chosen = visit.world.provider, visit.typed("method")
    method = LiveMethod(chosen) if chosen in frozenset(LiveMethod) else LiveMethod.FACE
    started = live_checks.start(provider, claimed, method, f"{visit.world.address}{back}")
    with provider.begin() as tx:
        live_checks.begin(tx, provider, claimed, method, started)
    return go(started.url)


def came_of(visit: Visit, claimed: Claim) -> bool | None:
    """Return how the check went that was begun for this, or `None` when none was.

    Raises `LiveCheckPending`, `SourceUnavailable`.
    """
    provider = visit.world.provider
    with provider.begin() as tx:
        check = live_checks.awaited(tx, provider, claimed)
    if check is None:
        return None
    result = live_checks.ask(provider, check)
    with provider.begin() as tx:
        return live_checks.decide(tx, provider, check, result)
