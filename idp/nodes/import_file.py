"""A city's existing users as a file (I05): JSON Lines, the first line being the city's signature.

That line is a compact JWS (RFC 7515) of type `yinxin-people+jwt`, whose claims name the city (`iss`)
and the province (`aud`), when it was made (`iat`), how many rows follow (`rows`) and the SHA-256 of
all the bytes that follow (`sha256`, hexadecimal). The whole file is checked against it before any
row is read in, so that one that was changed or cut short leaves nothing behind.
"""

import hashlib
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from idp.client_signed import moment
from idp.node_errors import ImportFileFromFuture, ImportFileWrong, ImportNotSigned
from idp.nodes import peers
from idp.nodes.peers import Peer, PeerKeysUnavailable, Place
from idp.provider import Provider
from keys import jose
from keys.compact import TokenError
from keys.jose import LARGEST_TOKEN
from keys.signer import Signer

TYPE = "yinxin-people+jwt"
LONGEST_ROW = 16 * 1024
"""How long a row may be, in bytes."""

_LEEWAY = 60
"""Seconds that the city's clock may be ahead of ours."""

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the signature says of the rows: whose they are, and how many."""

    city: Peer
    rows: int


@dataclass(frozen=True, slots=True)
class Line:
    """A row as it stands in the file, by its place from 1; without `content` it is too long."""

    place: int
    content: bytes | None


def read(provider: Provider, file: BinaryIO) -> Manifest:
    """Check the file whole and leave it at its first row; call it outside any transaction.

    Raises `ImportNotSigned`, `ImportFileWrong`, `ImportFileFromFuture`.
    """
    claims, city = _signed(provider, file.readline(LARGEST_TOKEN + 1))
    rows, sha256 = claims.get("rows"), claims.get("sha256")
    start = file.tell()
    if not isinstance(rows, int) or _digest(file) != sha256:
        raise ImportFileWrong
    file.seek(start)
    return Manifest(city, rows)


def lines(file: BinaryIO) -> Iterator[Line]:
    """The rows, from where `read` left the file; empty lines are passed over."""
    place = 0
    while content := file.readline(LONGEST_ROW + 1):
        place += 1
        if len(content) > LONGEST_ROW and not content.endswith(b"\n"):
            while (rest := file.readline(_BLOCK)) and not rest.endswith(b"\n"):
                pass
            yield Line(place, None)
        elif content.strip():
            yield Line(place, content.strip())


def write(
    rows: Iterable[bytes], into: BinaryIO, signer: Signer, *, city: str, province: str, now: int
) -> int:
    """Write rows (JSON objects, without line ends) and their signature; return how many there are.

    `city` and `province` are issuer identifiers, `now` is in seconds since 1970. `signer` is a key
    of the city's.
    """
    body, digest, count = io.BytesIO(), hashlib.sha256(), 0
    for row in rows:
        line = row + b"\n"
        body.write(line)
        digest.update(line)
        count += 1
    claims = {
        "iss": city,
        "aud": province,
        "iat": now,
        "rows": count,
        "sha256": digest.hexdigest(),
    }
    into.write(jose.sign(claims, signer, TYPE).encode() + b"\n" + body.getvalue())
    return count


def _signed(provider: Provider, line: bytes) -> tuple[Mapping[str, Any], Peer]:
    try:
        token = line.strip().decode("ascii")
        with provider.begin() as tx:
            city = peers.find(tx, peers.claimed_issuer(token))
        if city is None or city.place is not Place.BELOW:
            raise ImportNotSigned
        claims = peers.verified(provider, city, token, TYPE).claims
        made = moment(claims, "iat")
    except (TokenError, PeerKeysUnavailable, ValueError):
        raise ImportNotSigned from None
    if claims.get("aud") != provider.issuer:
        raise ImportNotSigned
    if made is None:
        raise ImportFileWrong
    if made > provider.clock().timestamp() + _LEEWAY:
        raise ImportFileFromFuture
    return claims, city


def _digest(file: BinaryIO) -> str:
    digest = hashlib.sha256()
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.hexdigest()
