"""A backup of the vault: its keys, and the certificates, authorities and custodians around them.

It holds the private keys themselves, so it opens without the key-encryption keys, which may be what
was lost; two custodians agree to it. What a token holds stays in the token: its place is told.
Nothing is taken back before every private key was found to belong to its public one.
"""

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Table, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keys import backup_file, journal
from keys.algorithms import ALGORITHMS, Purpose
from keys.backup_file import BackupMalformed
from keys.certificates import CertificateMalformed, parse
from keys.curves import KeyMalformed
from keys.errors import DomainError
from keys.key_states import State
from keys.public_keys import public_key
from keys.software_signer import PrivateMaterial, SoftwareSigner
from keys.tables import authority, certificate, custodian, private_key
from keys.two_person import Consent, is_guarded, required
from keys.vault import Vault

BACKUP, RESTORE = "vault.backup", "vault.restore"
"""The actions two custodians agree to, on the subject `EVERY_KEY`."""
EVERY_KEY = "every key"

_Row = dict[str, Any]


class BackupInconsistent(DomainError):
    """Something in the backup does not fit its own name: a key that is another's, say."""

    code = "backup.inconsistent"


class BackupConflict(DomainError):
    """The database holds something else under a name that is in the backup."""

    code = "backup.conflict"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a backup holds: counts, `in_token` and `destroyed` of the keys being without secrets."""

    made_at: datetime
    keys: int
    in_token: int
    destroyed: int
    certificates: int
    authorities: int
    custodians: int


@dataclass(frozen=True, slots=True)
class _Kind:
    """Rows of one table: what tells one from another, and what of one never changes."""

    table: Table
    name: tuple[str, ...]
    lasting: tuple[str, ...]
    left_out: tuple[str, ...] = ()


# In the order they refer to each other.
_KINDS: Mapping[str, _Kind] = {
    "custodians": _Kind(custodian, ("name",), ("passphrase",)),
    "keys": _Kind(
        private_key, ("kid",), ("purpose", "owner", "algorithm", "spki"), ("wrapped", "kek")
    ),
    "authorities": _Kind(authority, ("name",), ("kid", "der")),
    "certificates": _Kind(certificate, ("authority", "serial"), ("kid", "der"), ("id",)),
}
_SECRET = "pkcs8"  # noqa: S105 - the name of a column that only a backup has


def backup(tx: Session, vault: Vault, passphrase: str, consent: Consent) -> bytes:
    """Return the backup, sealed under the passphrase.

    Raises ConsentMissing, BackupPassphraseWeak, KekMissing, SecretUnreadable.
    """
    required(consent, BACKUP, EVERY_KEY)
    now = vault.clock()
    content: dict[str, Any] = {"made_at": now}
    for kind, what in _KINDS.items():
        content[kind] = [_told(vault, row, what) for row in tx.execute(_ordered(what))]
    file = backup_file.seal(_dump(content), passphrase, now, vault.random)
    details: dict[str, str | int] = {
        "keys": len(content["keys"]),
        "digest": hashlib.sha256(file).hexdigest(),
        "first": consent.first,
        "second": consent.second,
    }
    journal.append(
        tx, at=now, actor=consent.first, action=BACKUP, subject=EVERY_KEY, details=details
    )
    return file


def check_backup(file: bytes, passphrase: str) -> Summary:
    """Open a backup, find every name in it true, and tell what it holds.

    Raises BackupMalformed, BackupUnreadable, BackupInconsistent.
    """
    return _summary(_checked(file, passphrase))


def restore(
    tx: Session,
    vault: Vault,
    file: bytes,
    passphrase: str,
    *,
    by: str,
    consent: Consent | None = None,
) -> Summary:
    """Take back what is missing, and wrap every key of the backup under the current key.

    What is there already stays as it is, in the state it has since come to; a destroyed key stays
    destroyed. Where there are custodians two of them agree, because a file that somebody made up
    could bring in others. Raises as `check_backup`, and ConsentMissing, BackupConflict: roll back
    then.
    """
    details: dict[str, str | int] = {}
    if is_guarded(tx):
        agreed = required(consent, RESTORE, EVERY_KEY)
        details = {"first": agreed.first, "second": agreed.second}
    content = _checked(file, passphrase)
    details |= {"keys": len(content["keys"]), "digest": hashlib.sha256(file).hexdigest()}
    for kind, what in _KINDS.items():
        for row in content[kind]:
            _take_back(tx, vault, kind, what, row)
    journal.append(
        tx,
        at=vault.clock(),
        actor=by,
        action="vault.restored",
        subject=EVERY_KEY,
        details=details,
    )
    return _summary(content)


def _ordered(what: _Kind) -> Any:
    return select(what.table).order_by(*what.table.primary_key.columns)


def _told(vault: Vault, row: Any, what: _Kind) -> _Row:
    told = {name: value for name, value in row._mapping.items() if name not in what.left_out}
    if what.table is private_key:
        told[_SECRET] = vault.private_keys.material(row).pkcs8 if row.wrapped else None
    return told


def _take_back(tx: Session, vault: Vault, kind: str, what: _Kind, row: _Row) -> None:
    secret = row.get(_SECRET)
    there = [what.table.c[name] == row[name] for name in what.name]
    found = tx.execute(select(what.table).where(*there)).first()
    if found is None:
        unless = insert(what.table).on_conflict_do_nothing().returning(what.table)
        columns = {name: value for name, value in row.items() if name != _SECRET}
        found = tx.execute(unless, columns).first()
    if found is None or any(found._mapping[name] != row[name] for name in what.lasting):
        raise BackupConflict(kind=kind, name=_name(what, row))
    if secret is not None and found.state != State.DESTROYED.value:
        key = public_key(found.spki, ALGORITHMS[found.algorithm])
        place = vault.private_keys.wrap(key, Purpose(found.purpose), found.owner, secret)
        tx.execute(update(what.table).where(*there).values(asdict(place)))


def _checked(file: bytes, passphrase: str) -> dict[str, Any]:
    opened = backup_file.open_file(file, passphrase)
    try:
        content = _load(opened)
        for kind, what in _KINDS.items():
            columns = set(what.table.c.keys()) - set(what.left_out)
            for row in content[kind]:
                if set(row) - {_SECRET} != columns:
                    raise BackupMalformed
                if not _holds(kind, row):
                    raise BackupInconsistent(kind=kind, name=_name(what, row))
    except (KeyError, TypeError, ValueError):
        raise BackupMalformed from None
    return content


def _holds(kind: str, row: _Row) -> bool:
    try:
        return _HOLDS[kind](row)
    except (KeyMalformed, CertificateMalformed):
        return False


def _key_holds(row: _Row) -> bool:
    """Whether a key's name and public half follow from its private one, as far as it is here."""
    key = public_key(row["spki"], ALGORITHMS[row["algorithm"]])
    if row[_SECRET] is not None:
        material = PrivateMaterial(key.algorithm, row[_SECRET])
        if SoftwareSigner(material).public_key != key:
            return False
    return bool(key.kid == row["kid"])


def _certificate_holds(row: _Row) -> bool:
    return bool(parse(row["der"]).public_key.kid == row["kid"])


_HOLDS: Mapping[str, Callable[[_Row], bool]] = {
    "custodians": lambda row: bool(row["name"]),
    "keys": _key_holds,
    "authorities": _certificate_holds,
    "certificates": _certificate_holds,
}


def _name(what: _Kind, row: _Row) -> str:
    return " ".join(str(row[name]) for name in what.name)


def _summary(content: Mapping[str, Any]) -> Summary:
    keys = content["keys"]
    return Summary(
        made_at=content["made_at"],
        keys=len(keys),
        in_token=sum(row["handle"] is not None for row in keys),
        destroyed=sum(row["state"] == State.DESTROYED.value for row in keys),
        certificates=len(content["certificates"]),
        authorities=len(content["authorities"]),
        custodians=len(content["custodians"]),
    )


def _dump(content: Mapping[str, Any]) -> bytes:
    return json.dumps(content, ensure_ascii=False, default=_as_json).encode()


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return {"time": value.isoformat()}
    return {"bytes": base64.b64encode(value).decode()}


def _load(text: bytes) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(text, object_hook=_from_json)
    return read


def _from_json(value: dict[str, Any]) -> Any:
    match value:
        case {"time": str(time), **rest} if not rest:
            return datetime.fromisoformat(time)
        case {"bytes": str(text), **rest} if not rest:
            return base64.b64decode(text)
    return value
