"""Custom reports: what they are made of, and what their answers hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

PAGE_ROWS = 1000
"""Most rows of one page [D]."""
ReportRow = list[tuple[str, str]]
"""Column element and text, in the report's order; a name may come twice."""

# PENDING and DONE are confirmed, the others peers expect [C].
_READY = frozenset({"", "DONE"})
FAILED_WORDS = frozenset({"FAILED", "ERROR", "CANCELLED"})
KNOWN_WORDS = _READY | FAILED_WORDS | {"PENDING", "INPROGRESS", "INWAIT"}


class ReportKind(Enum):
    """The writer a custom report was made with."""

    INTERACTIVE = "interactive"
    ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class DateRange:
    """A prompt for a range, which reports of the original kind have [D]."""

    start: str
    end: str


Argument = str | DateRange


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A column: its path in the report, and from the report's object on."""

    path: str
    full_path: str


@dataclass(frozen=True, slots=True)
class ReportDefinition:
    """What a report is made of.

    Attributes:
        object_name: where its paths begin; empty where it is not told.
        columns: of an interactive report; the original kind does not tell them [D].
        parameters: what the report prompts for, as far as it is told.
    """

    object_name: str
    columns: tuple[ReportColumn, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """An answer to readReport, or to readMore of a report.

    Attributes:
        status: a word in upper case; empty where none came.
        total: rows of the report; None where the answer does not say.
        remaining: rows after these; likewise.
    """

    report_id: str | None
    status: str
    rows: list[ReportRow]
    total: int | None
    remaining: int | None

    @property
    def is_ready(self) -> bool:
        """Whether it holds what rows there are."""
        return bool(self.rows) or self.status in _READY
