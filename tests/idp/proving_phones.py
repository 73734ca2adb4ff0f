"""What tests of phones share: a code as the phone shows it, and one that is wrong."""

from tests.idp.world import World


def code_on(world: World, phone: str) -> str:
    """The last code that a phone got."""
    return world.inbox(phone)[-1]["code"]


def wrong(code: str) -> str:
    """Another code of the same form."""
    return f"{(int(code) + 1) % 1_000_000:06d}"
