"""Which rows of a source the user's settings ask for.

Turns `filters`, the balance settings and a transaction definition into a condition
and periods, and refuses what does not fit the source's schema. Uses neither Singer nor
the gateway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tap_sage_intacct.catalog.discovery import OfferedSource
from tap_sage_intacct.catalog.extra_objects import DOCUMENT_TYPE
from tap_sage_intacct.catalog.schema import value_types
from tap_sage_intacct.catalog.sources import ReadFunction
from tap_sage_intacct.catalog.stored_codes import codes_of
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.query import (
    AnyOf,
    Comparison,
    Condition,
    Operator,
    both,
    in_,
)
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.selection.filter_values import FilterField
from tap_sage_intacct.settings.settings import Settings
from tap_sage_intacct.settings.values import PeriodRange

PERIOD = "PERIOD"

# By these the documentation leaves out empty rows [D].
_AMOUNTS = ("TOTDEBIT", "TOTCREDIT", "TOTADJDEBIT", "TOTADJCREDIT", "FORBAL", "ENDBAL")


@dataclass(frozen=True, slots=True)
class RowSelection:
    """The rows wanted.

    Attributes:
        condition: None for all.
        periods: of a source that needs them; empty if the settings name none.
    """

    condition: Condition | None = None
    periods: tuple[str, ...] | PeriodRange = ()


def row_selection(offered: OfferedSource, settings: Settings) -> RowSelection:
    """What the settings say of this source.

    Raises:
        InvalidSettings: the filter is wrong, or names periods beside
            `balance_periods`.
    """
    source = offered.source
    condition, periods = _document_type(offered), settings.balances.periods
    filtered = None
    if source.stream_name in settings.filters:
        # sqlglot takes a quarter of a second to import, and most runs have no filter.
        from tap_sage_intacct.selection import filters  # noqa: PLC0415

        given = settings.filters[source.stream_name]
        fields = _filter_fields(offered)
        filtered = filters.parse_filter(given, fields, stream=source.stream_name)
    if not source.needs_period:
        return RowSelection(both(condition, filtered))
    if filtered is not None:
        named = filters.period_names(filtered)
        if named is not None and periods:
            raise InvalidSettings(
                f"Both balance_periods and the filter of {source.stream_name} name "
                "periods: leave one of them."
            )
        periods = named or periods
        filtered = filters.without_field(filtered, PERIOD)
    return RowSelection(both(_balances(settings), filtered), periods)


def _filter_fields(offered: OfferedSource) -> dict[str, FilterField]:
    """The fields that a filter may compare, sensitive ones that are not offered too."""
    labels = _closed_labels(offered)
    object_name = offered.source.object_name
    types = value_types(offered.schema) | value_types({"properties": offered.concealed})
    return {
        name: FilterField(value_type, labels.get(name, ()), codes_of(object_name, name))
        if value_type is ValueType.TEXT
        else FilterField(value_type)
        for name, value_type in types.items()
    }


def _closed_labels(offered: OfferedSource) -> Mapping[str, tuple[str, ...]]:
    """Labels that a filter must use.

    Where rows are read by stored codes and some codes are unknown, a user may have to
    write the code itself: such fields take any value.
    """
    if offered.source.functions[0] is not ReadFunction.READ_BY_QUERY:
        return offered.labels
    name = offered.source.object_name
    return {
        field: labels
        for field, labels in offered.labels.items()
        if set(labels) <= set(codes_of(name, field))
    }


def _balances(settings: Settings) -> Condition | None:
    books = settings.balances.books
    return both(
        in_("BOOKID", books) if books else None,
        _has_an_amount() if settings.balances.leaves_out_zero else None,
    )


def _has_an_amount() -> Condition:
    """Balances that are not zero throughout."""
    return AnyOf(tuple(Comparison(name, Operator.NOT_EQUAL, (0,)) for name in _AMOUNTS))


def _document_type(offered: OfferedSource) -> Condition | None:
    """One stream per transaction definition: its fields differ [D]."""
    name = offered.source.document_type
    if name is None or DOCUMENT_TYPE not in offered.schema["properties"]:
        return None
    return Comparison(DOCUMENT_TYPE, Operator.EQUAL, (name,))
