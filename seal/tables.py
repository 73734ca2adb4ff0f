"""The rows of this package: the seals that were made, in the order recorded (PostgreSQL schema `seal`)."""

from sqlalchemy import Column, Identity, Index, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData(
    schema="seal",
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    },
)

e_seal = Table(
    "e_seal",
    metadata,
    Column("number", Integer, Identity(), primary_key=True),
    Column("esid", Text, nullable=False, unique=True),
    Column("owner", Text, nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("picture_png", LargeBinary, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Index("ix_e_seal_owner", "owner", "number"),
)
