"""Which rows of a source the user's settings ask for.

Turns `filters`, the balance settings and a transaction definition into a condition
and periods, and refuses what does not fit the source's schema; knows neither Singer
nor the gateway.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tap_sage_intacct.catalog.extra_objects import DOCUMENT_TYPE
from tap_sage_intacct.catalog.schema import value_types
from tap_sage_intacct.catalog.sources import ReadFunction
from tap_sage_intacct.catalog.stored_codes import codes_of
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.query import Comparison, Operator, both, in_
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.reading.balances import has_an_amount
from tap_sage_intacct.selection.filter_values import InvalidFilter

if TYPE_CHECKING:
    from tap_sage_intacct.catalog.discovery import OfferedSource
    from tap_sage_intacct.catalog.labels import Labels
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.selection.filters import FilterField
    from tap_sage_intacct.settings.settings import Settings
    from tap_sage_intacct.settings.values import PeriodRange

PERIOD = "PERIOD"


@dataclass(frozen=True, slots=True)
class RowSelection:
    """The rows wanted.

    Attributes:
        condition: None for all.
        periods: of a source that needs them; empty where none is named.
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
    condition = _document_type(offered)
    if source.stream_name not in settings.filters:
        filtered = None
    else:
        filtered = _filter(offered, settings)
    if not source.needs_period:
        return RowSelection(both(condition, filtered))
    periods = settings.balances.periods
    if filtered is not None:
        filtered, periods = _without_periods(offered, settings, filtered)
    condition = both(_balances(settings), filtered)
    return RowSelection(condition, periods)


def _filter(offered: OfferedSource, settings: Settings) -> Condition:
    # sqlglot takes a quarter of a second to import, and most runs have no filter.
    from tap_sage_intacct.selection import filters  # noqa: PLC0415

    stream = offered.source.stream_name
    try:
        return filters.parse_filter(
            settings.filters[stream], _filter_fields(offered), stream=stream
        )
    except InvalidFilter as error:
        raise InvalidSettings([str(error)]) from None


def _filter_fields(offered: OfferedSource) -> dict[str, FilterField]:
    from tap_sage_intacct.selection import filters  # noqa: PLC0415

    labels = _closed_labels(offered)
    object_name = offered.source.object_name
    return {
        name: filters.FilterField(
            value_type, labels.get(name, ()), codes_of(object_name, name)
        )
        if value_type is ValueType.TEXT
        else filters.FilterField(value_type)
        for name, value_type in {
            **value_types(offered.schema),
            **value_types({"properties": offered.concealed}),
        }.items()
    }


def _closed_labels(offered: OfferedSource) -> Labels:
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


def _without_periods(
    offered: OfferedSource, settings: Settings, condition: Condition
) -> tuple[Condition | None, tuple[str, ...] | PeriodRange]:
    """The rest of a filter, and the periods that it or the setting names."""
    from tap_sage_intacct.selection import filters  # noqa: PLC0415

    try:
        named = filters.period_names(condition)
    except InvalidFilter as error:
        raise InvalidSettings([str(error)]) from None
    if named is not None and settings.balances.periods:
        raise InvalidSettings(
            [
                "Both balance_periods and the filter of "
                f"{offered.source.stream_name} name periods: leave one of them."
            ]
        )
    rest = filters.without_field(condition, PERIOD)
    return rest, named or settings.balances.periods


def _balances(settings: Settings) -> Condition | None:
    books = settings.balances.books
    return both(
        in_("BOOKID", books) if books else None,
        has_an_amount() if settings.balances.leaves_out_zero else None,
    )


def _document_type(offered: OfferedSource) -> Condition | None:
    """One stream per transaction definition: its fields differ [D]."""
    name = offered.source.document_type
    if name is None or DOCUMENT_TYPE not in offered.schema["properties"]:
        return None
    return Comparison(DOCUMENT_TYPE, Operator.EQUAL, (name,))
