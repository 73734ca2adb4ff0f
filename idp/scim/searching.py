"""Queries (RFC 7644 §3.4.2): filter, sort, page.

A filter is evaluated on the resources themselves, whatever it asks; one that names a single account
or group is narrowed to it in the database first.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from scim2_models import Message, ScimFilter, SearchRequest
from scim2_models.path.expressions import (
    CompareOperator,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
)
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute

from idp import sent_json
from idp.scim.models import PAGE
from idp.staffing.tables import GroupRow
from idp.tables import StaffRow

Listing = Callable[..., Message]
"""The list response of a kind of resource."""

Columns = Mapping[str, InstrumentedAttribute[Any]]

OF_USERS: Columns = MappingProxyType(
    {"id": StaffRow.subject, "username": StaffRow.username, "externalid": StaffRow.external_id}
)
OF_GROUPS: Columns = MappingProxyType({"id": GroupRow.id, "externalid": GroupRow.external_id})
"""By which attributes the database finds, all of them told apart by case."""


def narrowed(filtered: ScimFilter[Any] | None, columns: Columns) -> ColumnElement[bool] | None:
    """A condition that all that the filter lets through meets, if it names single ones.

    Raises `JsonRefused` for a name that nothing can have.
    """
    return None if filtered is None else _condition(filtered.ast, columns)


def answered(found: list[Any], asked: SearchRequest[Any], listing: Listing) -> Message:
    """The page asked for of those that pass the filter, sorted as asked."""
    passing = [one for one in found if asked.filter is None or asked.filter.match(one)]
    ordered = asked.sort(passing)
    first = asked.start_index_0 or 0
    count = PAGE if asked.count is None else min(asked.count, PAGE)
    page = ordered[first : first + count]
    return listing(
        total_results=len(ordered),
        start_index=first + 1,
        items_per_page=len(page),
        resources=page,
    )


def _condition(node: FilterNode, columns: Columns) -> ColumnElement[bool] | None:
    if isinstance(node, Comparison) and node.op is CompareOperator.eq:
        column = columns.get(node.attr_path.attr.lower())
        named = node.attr_path.sub_attr is None and isinstance(node.value, str)
        if column is None or not named:
            return None
        sent_json.check(node.value)
        condition: ColumnElement[bool] = column == node.value
        return condition
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        found = (_condition(term, columns) for term in node.terms)
        return next((condition for condition in found if condition is not None), None)
    return None
