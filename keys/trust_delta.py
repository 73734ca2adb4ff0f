"""What changed between two versions of the trust list, so that nobody fetches the whole for one key.

A delta needs no trust of its own: it brings the signature of the newer list, and the list it leads
to is read like any other. Whatever a delta says wrong ends in a wrong signature.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from keys import base64url
from keys.curves import KeyMalformed
from keys.errors import DomainError
from keys.trust import Anchor, TrustedIssuer, TrustList
from keys.trust_json import (
    UNREADABLE,
    anchor,
    anchor_document,
    issuer,
    issuer_document,
    moment,
    text,
    whole,
)
from keys.trust_root import TrustRoot
from keys.trust_signing import encoded, open_trust_list


class DeltaMalformed(DomainError):
    """The text is not a delta this version can read."""

    code = "trust_delta.malformed"


class DeltaUnfit(DomainError):
    """The delta starts at another version (`since`) than the list at hand (`version`)."""

    code = "trust_delta.unfit"


class VersionUnknown(DomainError):
    """There is no list of this version to tell the changes from."""

    code = "trust_list.version_unknown"


@dataclass(frozen=True, slots=True)
class TrustDelta:
    """From the list of version `since` to that of `version`: what is new or changed, and what is gone.

    Anchors gone are named by source and name, issuers by their USCC.
    """

    since: int
    version: int
    made_at: datetime
    anchors: tuple[Anchor, ...]
    anchors_gone: tuple[tuple[str, str], ...]
    issuers: tuple[TrustedIssuer, ...]
    issuers_gone: tuple[str, ...]


def delta(old: TrustList, new: TrustList) -> TrustDelta:
    """Return what leads from the old list to the new one."""
    old_anchors, new_anchors = _anchors(old), _anchors(new)
    old_issuers, new_issuers = _issuers(old), _issuers(new)
    return TrustDelta(
        since=old.version,
        version=new.version,
        made_at=new.made_at,
        anchors=tuple(a for name, a in new_anchors.items() if old_anchors.get(name) != a),
        anchors_gone=tuple(name for name in old_anchors if name not in new_anchors),
        issuers=tuple(i for uscc, i in new_issuers.items() if old_issuers.get(uscc) != i),
        issuers_gone=tuple(uscc for uscc in old_issuers if uscc not in new_issuers),
    )


def apply(old: TrustList, change: TrustDelta) -> TrustList:
    """Return the newer list. Raises DeltaUnfit for a list of another version than it starts from."""
    if change.since != old.version:
        raise DeltaUnfit(since=change.since, version=old.version)
    anchors = _anchors(old) | {(a.source, a.name): a for a in change.anchors}
    issuers = _issuers(old) | {i.uscc: i for i in change.issuers}
    return TrustList.ordered(
        change.version,
        change.made_at,
        (a for name, a in anchors.items() if name not in change.anchors_gone),
        (i for uscc, i in issuers.items() if uscc not in change.issuers_gone),
    )


def write_delta(change: TrustDelta, signed: str) -> str:
    """Return the delta as JSON, with the signature of the list it leads to (`signed`, compact JWS)."""
    protected, payload, signature = signed.split(".")
    document = {
        "since": change.since,
        "version": change.version,
        "made_at": text(change.made_at),
        "ends_at": json.loads(base64url.decode(payload))["ends_at"],
        "anchors": [anchor_document(a) for a in change.anchors],
        "anchors_gone": [list(name) for name in change.anchors_gone],
        "issuers": [issuer_document(i) for i in change.issuers],
        "issuers_gone": list(change.issuers_gone),
        "protected": protected,
        "signature": signature,
    }
    return json.dumps(document, ensure_ascii=True, separators=(",", ":"))


def follow_delta(old: TrustList, told: str, root: TrustRoot) -> str:
    """Return the newer list as it was signed, from the old one and a delta, its signature checked.

    Raises DeltaMalformed, DeltaUnfit, TrustListWrong, TokenError.
    """
    try:
        document = json.loads(told)
        newer = apply(old, _delta(document))
        payload = encoded(newer, moment(document["ends_at"]))
        signed = f"{document['protected']}.{payload}.{document['signature']}"
    except (*UNREADABLE, RecursionError, KeyMalformed) as wrong:
        raise DeltaMalformed(reason=type(wrong).__name__) from wrong
    open_trust_list(signed, root)
    return signed


def _delta(document: Mapping[str, Any]) -> TrustDelta:
    return TrustDelta(
        since=whole(document["since"]),
        version=whole(document["version"]),
        made_at=moment(document["made_at"]),
        anchors=tuple(anchor(told) for told in document["anchors"]),
        anchors_gone=tuple((source, name) for source, name in document["anchors_gone"]),
        issuers=tuple(issuer(told) for told in document["issuers"]),
        issuers_gone=tuple(document["issuers_gone"]),
    )


def _anchors(trust_list: TrustList) -> dict[tuple[str, str], Anchor]:
    return {(a.source, a.name): a for a in trust_list.anchors}


def _issuers(trust_list: TrustList) -> dict[str, TrustedIssuer]:
    return {i.uscc: i for i in trust_list.issuers}
