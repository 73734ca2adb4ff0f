"""A time stamp authority for the tests of stamping: SM2, under the root of the OFD builders' world."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from keys.certificate_profiles import TIME_STAMP
from keys.certificates import parse
from keys.time_stamp import Statement, grant, imprint_of, read_request
from keys.time_stamp_client import TimeStampClient
from keys.time_stamp_token import build_token
from seal.ofd_seal import stamp
from seal.stamp_places import At
from seal.time_proof import TimeStamper
from tests.seal.ofd_builders import BOX, SIGNED_AT, Holder, holder, plain_ofd, seal_world

POLICY = "1.2.3.4"
STAMPED_AT = SIGNED_AT + timedelta(seconds=3)


@cache
def authority() -> Holder:
    return holder(TIME_STAMP, "示例时间戳机构", seal_world().root, serial=9)


def token(value: bytes, at: datetime = STAMPED_AT, by: Holder | None = None) -> bytes:
    """Return a token over SM3 of `value`."""
    by = by or authority()
    imprint = imprint_of(value, "sm3")
    statement = Statement(imprint, POLICY, 1, at, timedelta(seconds=1), None)
    return build_token(statement, by.signer, parse(by.certificate), (by.certificate,))


def time_stamper(at: datetime = STAMPED_AT, by: Holder | None = None) -> TimeStamper:
    return lambda value: token(value, at, by)


@cache
def time_stamped_ofd() -> bytes:
    """The builders' face stamped with their seal, and the seal signature with a time stamp."""
    world = seal_world()
    return stamp(
        plain_ofd(),
        world.seal,
        world.owner.signer,
        world.owner.certificate,
        At(0, BOX.x, BOX.y),
        SIGNED_AT,
        time_stamper=time_stamper(),
    )


def client(post: Callable[[bytes], bytes] | None = None) -> TimeStampClient:
    """A client of the authority, which answers in this process."""
    return TimeStampClient(post or answer, seal_world().anchors, lambda n: b"\1" * n)


def answer(request: bytes) -> bytes:
    """What the authority answers to a DER request."""
    asked, by = read_request(request), authority()
    statement = Statement(asked.imprint, POLICY, 1, STAMPED_AT, timedelta(seconds=1), asked.nonce)
    return grant(build_token(statement, by.signer, parse(by.certificate), (by.certificate,)))
