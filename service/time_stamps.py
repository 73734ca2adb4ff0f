"""Time stamps of our own authority, in this process, for the stamps of our own seals."""

from collections.abc import Callable
from datetime import timedelta

from keys import authority
from keys.algorithms import Purpose
from keys.time_authority import TimeAuthority
from keys.time_stamp_client import TimeStampClient
from seal.time_proof import TimeStamper, stamper
from service.db import Begin
from service.remembered import Remembered

_LOOKED_UP_AGAIN_AFTER = timedelta(minutes=1)


def time_stampers(
    ours: TimeAuthority, begin: Begin, random: Callable[[int], bytes]
) -> Callable[[str], TimeStamper]:
    """Return who gives the time stamper of a kind of digest: "sm3" is stamped by an SM2 key.

    A stamper checks what it is given like anybody's, by the authorities trusted for time stamps.
    """

    def trusted() -> tuple[bytes, ...]:
        with begin() as tx:
            return tuple(
                anchor.der
                for anchor in authority.anchors(tx)
                if Purpose.TIME_STAMP in anchor.purposes and anchor.good_at(ours.clock())
            )

    anchors = Remembered(trusted, ours.clock, _LOOKED_UP_AGAIN_AFTER)
    return lambda digest: stamper(TimeStampClient(ours.stamp, anchors.get(), random), digest)
