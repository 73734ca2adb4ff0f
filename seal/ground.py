"""What a judgement of seals stands on: whom to trust, what was revoked, and how a seal stood.

Everything is at hand before a file is opened: nothing a file names is ever fetched.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from keys.trust import Anchors
from seal.seal_states import SealState

SealStates = Callable[[bytes, datetime], SealState | None]
"""Returns how the seal of this DER stood in the register at a moment; None where it is not known."""


def no_register(_seal: bytes, _at: datetime) -> None:
    """Know no seal: for who has no register at hand."""


@dataclass(frozen=True, slots=True)
class Ground:
    """`anchors` gives the authorities, `crls` and `ocsp_answers` (DER) tell of revocations.

    Without any list or answer revocation is not looked at, and the report says so. `intermediates`
    (DER) may stand between a certificate and an authority; nobody trusts them for themselves.
    """

    anchors: Anchors
    crls: tuple[bytes, ...] = ()
    ocsp_answers: tuple[bytes, ...] = ()
    seal_states: SealStates = no_register
    intermediates: tuple[bytes, ...] = ()
