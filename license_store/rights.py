"""Who may issue what, and who may look up what: the rows an administrator keeps."""

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from license_store.licence import Issuer
from license_store.tables import IssuerRow, IssuerTypeRow, LookupRightRow


def register_issuer(tx: Session, issuer: Issuer, type_codes: tuple[str, ...]) -> None:
    """Let a body issue these types. Registering it again updates its name and adds the types."""
    told = {"name": issuer.name, "area_code": issuer.area_code}
    tx.execute(
        insert(IssuerRow)
        .values(uscc=issuer.uscc, **told)
        .on_conflict_do_update(index_elements=["uscc"], set_=told)
    )
    for type_code in type_codes:
        tx.execute(
            insert(IssuerTypeRow)
            .values(issuer=issuer.uscc, type_code=type_code)
            .on_conflict_do_nothing()
        )


def grant_lookup(tx: Session, consumer: str, type_code: str, fields: tuple[str, ...] = ()) -> None:
    """Let the body `consumer` (USCC) look up licences of a type and be told these fields of them.

    Granting again replaces the fields; a name the type does not have tells nothing.
    """
    told = {"fields": list(fields)}
    tx.execute(
        insert(LookupRightRow)
        .values(consumer=consumer, type_code=type_code, **told)
        .on_conflict_do_update(index_elements=["consumer", "type_code"], set_=told)
    )
