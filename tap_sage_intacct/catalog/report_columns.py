"""What a custom report's columns are called, and of which type they are.

A definition gives paths but no types, and only interactive reports give columns at all
(Sage's page on custom reports [D]). So names come from a first page where the definition
is not enough, and types from the `lookup` of the path's object. Does not use Singer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tap_sage_intacct.catalog.definitions import Definitions
from tap_sage_intacct.catalog.offering import (
    concealed,
    hashed,
    is_offered_though_denied,
)
from tap_sage_intacct.catalog.related_fields import field_at
from tap_sage_intacct.catalog.schema import (
    REPORT_ROW,
    REPORT_RUN,
    json_schema,
    with_own_properties,
)
from tap_sage_intacct.errors import refuse
from tap_sage_intacct.intacct.errors import IntacctError, PermissionDenied
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.objects import Field, ObjectDefinition
from tap_sage_intacct.intacct.report_reader import CustomReportReader
from tap_sage_intacct.intacct.reports import ReportDefinition, ReportRow
from tap_sage_intacct.settings.settings import Settings
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import CustomReport

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfferedReport:
    """A custom report and the schema of its rows."""

    report: CustomReport
    schema: dict[str, Any]


def catalogued_report(
    report: CustomReport, schema: dict[str, Any], settings: Settings
) -> OfferedReport:
    """A report of a catalog, read as discovery described it."""
    keys = report.primary_keys
    return OfferedReport(report, hashed("", schema, keys, settings.sensitive))


def report_reader(
    gateway: Gateway, report: CustomReport, settings: Settings
) -> CustomReportReader:
    """Reads a report as the settings say."""
    return CustomReportReader(
        gateway,
        report.name,
        report.kind,
        report.arguments,
        settings.report_patience,
    )


def offered_reports(gateway: Gateway, settings: Settings) -> list[OfferedReport]:
    """The reports of the settings; those without columns are left out with a warning.

    So are denied ones, unless `on_denied` is `fail`: then a run of them fails.

    Raises:
        ReportNotFound: the report does not exist.
        InvalidSettings: the report lacks an argument or a key.
    """
    definitions = Definitions(gateway)
    found = (
        _offered_report(gateway, definitions, report, settings)
        for report in settings.custom_reports
    )
    return [offered for offered in found if offered is not None]


def _offered_report(
    gateway: Gateway, definitions: Definitions, report: CustomReport, settings: Settings
) -> OfferedReport | None:
    name = report.stream_name
    reader = report_reader(gateway, report, settings)
    try:
        definition = reader.definition()
        check_arguments(report, definition)
        columns = _columns(reader, definition)
    except PermissionDenied as error:
        if not is_offered_though_denied(name, error, settings.on_denied):
            return None
        # Its columns are unknown, except that its keys must be among them.
        keys = [_Column(key, key, "") for key in report.primary_keys]
        return OfferedReport(report, _schema(None, report, keys))
    if not columns:
        logger.warning(
            "%s is not offered: the report '%s' has no rows today, and nothing else "
            "names its columns. Discover again when it has some.",
            name,
            report.name,
        )
        return None
    schema = _schema(definitions if report.is_typed else None, report, columns)
    _check_keys(report, schema)
    schema, _ = concealed(
        name,
        definition.object_name,
        schema,
        report.primary_keys,
        settings.sensitive,
    )
    return OfferedReport(report, schema)


def check_arguments(report: CustomReport, definition: ReportDefinition) -> None:
    """Refuse arguments that the report does not prompt for, if it lists its prompts.

    Raises:
        InvalidSettings: with the nearest right names.
    """
    known = definition.parameters
    # The definition calls it PERIOD and the request REPORTINGPERIOD [D].
    names = {*map(str.upper, known), "REPORTINGPERIOD"}
    refuse(
        f"custom_reports: the report '{report.name}' does not prompt for '{name}'"
        f"{did_you_mean(name, known)} It prompts for {', '.join(known)}."
        for name in report.arguments
        if known and name.upper() not in names
    )


def column_names(raw: Sequence[str]) -> list[str]:
    """Legal, unique names for the columns of a report, the same ones every time.

    Letters, digits, dots and underscores stay, anything else becomes an underscore. A
    column without a name is named after its place; a repeated name gets a number.
    """
    names: list[str] = []
    taken = {REPORT_ROW, REPORT_RUN}
    for place, text in enumerate(raw, start=1):
        name = re.sub(r"[^\w.]+", "_", text.strip()) or f"column_{place}"
        if name[0].isdigit() or name.startswith("_"):
            name = f"column_{name.lstrip('_')}"
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}_{number}"
        taken.add(unique)
        names.append(unique)
    return names


def named_cells(row: ReportRow) -> dict[str, str]:
    """A row's texts by the names of its columns."""
    names = column_names([name for name, _ in row])
    return {name: text for name, (_, text) in zip(names, row, strict=True)}


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    title: str
    full_path: str


def _columns(reader: CustomReportReader, definition: ReportDefinition) -> list[_Column]:
    """From the definition if it names each column once, otherwise from a first page.

    Empty if that page has no row.
    """
    paths = [column.path for column in definition.columns]
    full_paths = {column.path: column.full_path for column in definition.columns}
    if not paths or "" in paths or len(full_paths) < len(paths):
        logger.info(
            "The definition of the report '%s' does not name its columns; running it.",
            reader.name,
        )
        first = next((page[0] for page in reader.pages() if page), ())
        paths = [name for name, _ in first]
    return [
        _Column(name, path, full_paths.get(path) or f"{definition.object_name}.{path}")
        for name, path in zip(column_names(paths), paths, strict=True)
    ]


def _schema(
    definitions: Definitions | None, report: CustomReport, columns: Sequence[_Column]
) -> dict[str, Any]:
    """Types come from the definitions; without them all columns are text."""
    described = ObjectDefinition(
        report.name, fields=tuple(_field(definitions, column) for column in columns)
    )
    properties = json_schema(described, required_keys=report.primary_keys)["properties"]
    return with_own_properties(
        {
            "type": "object",
            "title": report.name,
            "description": f"Rows of the custom report {report.name}.",
            "properties": properties,
        },
        REPORT_ROW,
        REPORT_RUN,
    )


def _field(definitions: Definitions | None, column: _Column) -> Field:
    """The column; text where its path does not lead to a field."""
    found = definitions and _field_behind(definitions, column.full_path)
    if not found:
        return Field(column.name, column.title, f"Column {column.title or column.name}")
    return Field(
        column.name,
        found.label,
        f"{found.description or found.label}. Column {column.full_path}",
        found.datatype,
    )


def _field_behind(definitions: Definitions, full_path: str) -> Field | None:
    object_name, _, path = full_path.partition(".")
    definition = definitions.of(object_name) if object_name else None
    if definition is None or isinstance(definition, IntacctError) or not path:
        return None
    return field_at(definitions, definition, path)


def _check_keys(report: CustomReport, schema: dict[str, Any]) -> None:
    properties = schema["properties"]
    refuse(
        f"custom_reports: the report '{report.name}' has no column '{name}'"
        f"{did_you_mean(name, properties)}"
        for name in report.primary_keys
        if name not in properties
    )
