"""What an import did, as the status endpoint reports it.

Shapes and words are those of the published OpenAPI.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_SAMPLES = 5


class Reason(Enum):
    """Why a row or a cell was not taken as it came [D]."""

    PARSING_ERROR = "ParsingError"
    BLANKED = "MissingModalityUseDefaultOrNullModality"
    UNKNOWN_ITEM = "MissingModalitySkippedDataRow"
    ACCESS_DENIED = "MissingWriteAccessRights"


@dataclass(slots=True)
class SkippedData:
    """Rows or cells of one column with one reason, aggregated [D]."""

    count: int = 0
    samples: list[str] = field(default_factory=list)

    def add(self, sample: str) -> None:
        """One more."""
        self.count += 1
        if len(self.samples) < _SAMPLES:
            self.samples.append(sample)


@dataclass(slots=True)
class Report:
    """Counts are of rows here; what Pigment counts is not documented [?]."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    skipped_rows: int = 0
    skipped_data: dict[tuple[Reason, str], SkippedData] = field(default_factory=dict)
    created_items: dict[str, int] = field(default_factory=dict)

    def note(self, reason: Reason, column: str, sample: str) -> None:
        """A cell that was not taken as it came."""
        self.skipped_data.setdefault((reason, column), SkippedData()).add(sample)

    def to_json(self, block_id: str) -> dict[str, Any]:
        """The `detailedReport` of a list."""
        counts = {
            "insertedCount": self.inserted,
            "updatedCount": self.updated,
            "deletedCount": self.deleted,
        }
        skipped = [
            {
                "count": data.count,
                "reason": reason.value,
                "sourceColumnName": column or None,
                "samples": data.samples,
            }
            for (reason, column), data in self.skipped_data.items()
        ]
        return {
            "blockType": "List",
            "summary": {**counts, "skippedCount": self.skipped_rows},
            "impactedBlocks": [
                {
                    "blockId": block_id,
                    "scenarioId": None,
                    **counts,
                    "skippedData": skipped,
                }
            ],
            "autoCreatedDimensionModalities": [
                {"blockId": id_, "count": count}
                for id_, count in self.created_items.items()
            ],
        }


@dataclass(frozen=True, slots=True)
class Import:
    """One push that was accepted.

    Attributes:
        status: `Completed` or `Failed`: what it will say once it is done.
        rows: of the file, without the header.
        errors: {name, description} each; the names are invented [?].
        report: `detailedReport`; None where it failed.
    """

    id: str
    configuration_id: str
    created_at: str
    completed_at: str
    status: str
    rows: int
    errors: tuple[Mapping[str, str], ...] = ()
    report: Mapping[str, Any] | None = None

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Import:
        """The inverse of `asdict`."""
        return cls(**{**given, "errors": tuple(given["errors"])})
