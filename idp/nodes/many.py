"""Many rows in one statement: an array for each column, in place of a placeholder for each value.

The driver reads a statement through at each execution; one with thousands of placeholders costs
more than what it does.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, any_, column, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.orm import InstrumentedAttribute

from idp.tables import Base


def among(attribute: InstrumentedAttribute[Any], values: Collection[Any]) -> ColumnElement[bool]:
    """The condition that a column has one of the values."""
    listed: ColumnElement[bool] = attribute == any_(literal([*values], ARRAY(attribute.type)))
    return listed


def inserting(row_type: type[Base], rows: Sequence[Mapping[str, Any]], **same: Any) -> Insert:
    """The insertion of rows that have the same members; `same` are values that all of them share."""
    attributes = {name: getattr(row_type, name) for name in (*rows[0], *same)}
    arrays = [
        literal([row[name] for row in rows], ARRAY(attributes[name].type)) for name in rows[0]
    ]
    named = (column(name, attributes[name].type) for name in rows[0])
    given = func.unnest(*arrays).table_valued(*named).render_derived()
    shared = (literal(value, attributes[name].type) for name, value in same.items())
    return insert(row_type).from_select([*attributes], select(*given.c, *shared))
