"""Whether a finished import is a success. Pure.

An import that dropped half its rows is `Completed`: only the report shows it [I].
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from target_pigment.load_modes import LoadMode
from target_pigment.pigment.answers import DetailedReport, ImportResult, SkippedData
from target_pigment.settings.settings import Settings

_DEFAULTED = "MissingModalityUseDefaultOrNullModality"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Sentences without a full stop; no failures is a success."""

    failures: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def judge(
    result: ImportResult, rows: int, mode: LoadMode, settings: Settings
) -> Verdict:
    """Judge an import of so many rows."""
    if result.status != "Completed":
        return Verdict((_failure(result, mode),))
    if result.report is None:
        text = "Pigment gave no detailed report, so lost rows cannot be ruled out"
        return Verdict((text,)) if settings.fail_on_skipped else Verdict((), (text,))
    found = [*_findings(result.report, rows, settings)]
    failures = tuple(text for text, fails in found if fails)
    return Verdict(failures, tuple(text for text, fails in found if not fails))


def _failure(result: ImportResult, mode: LoadMode) -> str:
    text = "the import failed: " + ("; ".join(result.errors) or "no reason given")
    if mode.clears:
        # Whether Pigment takes the clear back is not documented [?].
        text += "; the block may already have been cleared"
    return text


def _findings(
    report: DetailedReport, rows: int, settings: Settings
) -> Iterator[tuple[str, bool]]:
    """What a report shows, and whether it is a failure."""
    defaulted = [s for s in report.skipped_data if s.reason == _DEFAULTED]
    dropped = [s for s in report.skipped_data if s.reason != _DEFAULTED]
    skipped = max(report.skipped, sum(s.count for s in dropped))
    if skipped:
        too_many = skipped > settings.skipped_allowed(rows)
        text = f"{skipped} of {rows} rows were skipped{_reasons(dropped, settings)}"
        yield text, settings.fail_on_skipped and too_many
    if defaulted:
        text = "unknown items became blank or default" + _reasons(defaulted, settings)
        yield text, settings.fail_on_defaulted
    counted = report.inserted + report.updated + skipped
    if counted != rows:
        text = f"Pigment counts {counted} inserted, updated or skipped for {rows} rows sent"
        yield text, False
    if report.created_items:
        yield f"{report.created_items} dimension items were created", False


def _reasons(skipped: list[SkippedData], settings: Settings) -> str:
    texts = [_reason(entry, settings) for entry in skipped]
    return f" ({'; '.join(texts)})" if texts else ""


def _reason(entry: SkippedData, settings: Settings) -> str:
    text = f"{entry.count} {entry.reason}"
    if entry.column:
        text += f" in column {entry.column}"
    if settings.log_samples and entry.samples:
        text += f", such as {', '.join(entry.samples)}"
    return text
