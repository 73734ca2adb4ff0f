"""Parameters on their way through Redis: sealed, as a hint or a claim asked for may tell of a person."""

from pydantic import TypeAdapter

from idp.parameters import Parameters
from idp.provider import Provider

_PARAMETERS = TypeAdapter(Parameters)


def seal(provider: Provider, sent: Parameters) -> str:
    """What to keep."""
    text = _PARAMETERS.dump_json(sent).decode()
    return provider.protector.seal(text, provider.random).hex()


def opened(provider: Provider, sealed: str) -> Parameters:
    """The parameters that were sealed."""
    return _PARAMETERS.validate_json(provider.protector.open(bytes.fromhex(sealed)))
