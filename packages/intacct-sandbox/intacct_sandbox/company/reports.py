"""The custom reports of the sandbox's company.

A report is one query with a name, which nobody can see except by running it, so it says
in full what its answer looks like.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from intacct_sandbox.company.definitions import ObjectDefinition, read_facts
from intacct_sandbox.wire.envelope import element

REPORTING_PERIOD = "REPORTINGPERIOD"
"""The one prompt that is not a field [D]. The definition in the docs calls it PERIOD,
the request REPORTINGPERIOD; here it is the latter throughout [?]."""


@dataclass(frozen=True, slots=True)
class Report:
    """A custom report.

    Attributes:
        name: how it is run, to the letter [D].
        kind: the report writer that made it, one of two [D].
        columns: field paths of the object, as `query` selects them; an empty one is
            a computed column without a name. One may occur twice.
        parameters: prompts: field paths, which the object's name may precede, or
            REPORTINGPERIOD.
        rows_limit: rows before `repeat`; None for all.
        repeat: how many times over the rows come, for long reports of short books.
    """

    name: str
    kind: Literal["interactive", "original"]
    object_name: str
    columns: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    rows_limit: int | None = None
    repeat: int = 1

    def path(self, parameter: str) -> str:
        """The field path of a prompt."""
        return parameter.removeprefix(f"{self.object_name}.")

    @property
    def sorted_by(self) -> str:
        """The field path that orders the rows: the first there is; empty if none is."""
        return next(filter(None, self.columns), "")


REPORTS = tuple(
    Report(
        **{
            **given,
            "columns": tuple(given["columns"]),
            "parameters": tuple(given.get("parameters", ())),
        }
    )
    for given in read_facts("company/reports")
)
"""Journal lines comes 40 times over: of 600 lines a third is private, which leaves some
16,000 rows."""


def report_definition(report: Report, definition: ObjectDefinition) -> str:
    """The `<report_definition>` of a report on `definition` [D].

    That an interactive report lists its prompts, and as an original one does, is a
    guess: the documentation of its answer breaks off before them [?].
    """
    describe = _interactive if report.kind == "interactive" else _original
    name = element("REPORTNAME", report.name)
    content = f"{name}{describe(report, definition)}"
    return f"<report_definition>{content}</report_definition>"


def _interactive(report: Report, definition: ObjectDefinition) -> str:
    columns = "".join(_column(report, path) for path in report.columns)
    parameters = _parameters(report, definition) if report.parameters else ""
    return (
        "<REPORTTYPE>CRW</REPORTTYPE>"
        f"{element('OBJECT', report.object_name)}<DOCPARID></DOCPARID>"
        f"<COLUMNS>{columns}</COLUMNS>{parameters}"
    )


def _original(report: Report, definition: ObjectDefinition) -> str:
    by = f"{report.object_name}.{report.sorted_by}"
    order = f"<{by}><dir>asc</dir></{by}>" if report.sorted_by else ""
    return (
        "<REPORTTYPE>tabular</REPORTTYPE>"
        f"{element('ROOT', report.object_name)}"
        f"{_parameters(report, definition)}<SORTBY>{order}</SORTBY>"
    )


def _column(report: Report, path: str) -> str:
    # How a column without a name is listed is not known. [?]
    full = f"{report.object_name}.{path}" if path else ""
    return f"<COLUMN>{element('PATH', path)}{element('FULLPATH', full)}</COLUMN>"


def _parameters(report: Report, definition: ObjectDefinition) -> str:
    listed = "".join(_parameter(report, name, definition) for name in report.parameters)
    return f"<PARAMETERS>{listed}</PARAMETERS>"


def _parameter(report: Report, name: str, definition: ObjectDefinition) -> str:
    if name == REPORTING_PERIOD:
        return f"<PARAMETER>{element('NAME', name)}</PARAMETER>"
    field = definition.field(report.path(name))
    label = element("label", field.label if field else name)
    prompt = "<promptOnRun>1</promptOnRun>"
    return f"<PARAMETER>{element('NAME', name)}{label}{prompt}</PARAMETER>"
