"""Where a city hears of people from its province: the two endpoints of RFC 8935 §2."""

from dataclasses import asdict

from idp.call import NO_STORE, Answer, Call, told
from idp.nodes import apply, events, reconcile
from idp.nodes.events import EventRefused
from idp.provider import Provider


def people(provider: Provider, call: Call) -> Answer:
    """Apply what is told of people, each in a transaction of their own; 202 when all of it is kept."""
    try:
        teller, content = events.heard(provider, call.body, events.PEOPLE)
        travellers = apply.read(content)
    except EventRefused as refused:
        return _refusal(refused)
    except ValueError:
        return _refusal(EventRefused("invalid_request", "what is told of people cannot be read"))
    for traveller in travellers:
        with provider.begin() as tx:
            apply.take(tx, provider, teller.issuer, traveller)
    return Answer(202)


def digests(provider: Provider, call: Call) -> Answer:
    """Tell which people were applied here, where the digests that are told differ from ours."""
    try:
        teller, content = events.heard(provider, call.body, events.DIGESTS)
        asked = reconcile.asked(content)
    except EventRefused as refused:
        return _refusal(refused)
    except ValueError:
        return _refusal(EventRefused("invalid_request", "the digests cannot be read"))
    with provider.begin() as tx:
        return told(asdict(reconcile.differing(tx, teller.issuer, asked)))


def _refusal(refused: EventRefused) -> Answer:
    """RFC 8935 §2.3."""
    return told({"err": refused.err, "description": refused.description}, 400, NO_STORE)
