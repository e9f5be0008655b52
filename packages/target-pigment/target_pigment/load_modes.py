"""The load modes: what each does to a block, and what a stream must show before it is pushed.

A mode is one object. Nothing else asks which mode it is.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from target_pigment.completeness import EndMark, Evidence


@dataclass(frozen=True, slots=True)
class LoadMode:
    """How rows meet what a block holds; must agree with the import configuration.

    The clear option and the unique id behind it are saved in Pigment and cannot be read
    by API [D], so the user declares them here.

    Attributes:
        name: as in the settings.
        wizard: what to choose in Pigment's wizard.
        needs_key: rows find those in Pigment by the stream's key.
        doubles: a row that is sent twice is there twice.
        clears: a push deletes rows that are not in its file.
        clears_all: also those that came through another configuration.
    """

    name: str
    wizard: str
    needs_key: bool = False
    doubles: bool = False
    clears: bool = False
    clears_all: bool = False

    def pushes(self, rows: int) -> bool:
        """Whether so many rows need a push; without any, a block may be emptied."""
        return bool(rows) or self.clears

    def lacks_key(self, keys: Collection[str], columns: Collection[str]) -> bool:
        """Whether a stream with this key and these columns cannot be pushed."""
        return self.needs_key and not (keys and set(keys) <= set(columns))

    def refusal(
        self, evidence: Evidence, mark: EndMark, *, allows_changes: bool
    ) -> str:
        """Why rows must not be pushed, by what the tap showed of them; empty if they may.

        Args:
            evidence: of the stream that the rows are of.
            mark: the sign of its end that the settings ask for.
            allows_changes: the settings let it clear with a part of its rows.
        """
        if self.doubles:
            return _refusal_to_add(evidence, mark)
        if self.clears:
            return _refusal_to_clear(evidence, allows_changes=allows_changes)
        return ""


def _refusal_to_add(evidence: Evidence, mark: EndMark) -> str:
    if evidence.is_covered if mark == "auto" else evidence.has_ended:
        return ""
    return (
        "ended with records that no STATE follows, so the next run would send them again "
        "and double them; look at the tap's log, or see end_mark"
    )


def _refusal_to_clear(evidence: Evidence, *, allows_changes: bool) -> str:
    if evidence.resumes and not allows_changes:
        return (
            "goes on where an earlier run stopped, so the rows of that run are not in "
            "this one, and a replace would delete them; run the tap again without this "
            "stream's bookmark in its state"
        )
    if evidence.position and not allows_changes:
        return (
            f"may hold only what changed ({evidence.position}), and a replace would "
            "delete all other rows; sync it FULL_TABLE, use upsert, or set "
            "allow_incremental_replace if every run sends all rows"
        )
    if not evidence.has_ended:
        return (
            "ended without a sign that the tap sent all of it, and if the tap died, a "
            "replace would delete the rows that are missing; look at the tap's log, use "
            "upsert, or set end_mark to none if the tap never gives a sign and you accept "
            "that risk"
        )
    return ""


APPEND = LoadMode(
    "append", "do not clear; no unique ID in the Transaction List", doubles=True
)
UPSERT = LoadMode(
    "upsert",
    "do not clear; the stream's key is the unique ID of the list",
    needs_key=True,
)
REPLACE = LoadMode(
    "replace",
    "clear the entire list before the import",
    clears=True,
    clears_all=True,
)
SCOPED_REPLACE = LoadMode(
    "scoped_replace",
    "clear a limited scope, by a property of type Dimension",
    clears=True,
)

LOAD_MODES = {mode.name: mode for mode in (APPEND, UPSERT, REPLACE, SCOPED_REPLACE)}

FOR_SAMPLES = UPSERT
"""Where none is set, the rows of a sample are told apart by their key."""


def proposed(keys: Collection[str]) -> LoadMode:
    """The mode for a stream with this key, where none is set."""
    return UPSERT if keys else APPEND
