"""The errors that end a run. Each is one line: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class PigmentError(Exception):
    """Base of all errors that a user can correct; `str` is the line to show."""


class InvalidSettings(PigmentError):
    """Settings with which no run is possible.

    Attributes:
        problems: one sentence each: which setting, what is wrong, what to do.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problems))


class BrokenInput(PigmentError):
    """The tap's output cannot be read; nothing was pushed."""


class UnsuitableStream(PigmentError):
    """A stream's schema, or what came of it, does not fit its settings."""


class UnsuitableRecord(PigmentError):
    """A record that does not fit its SCHEMA; the message holds none of its values."""


class SpoolFailed(PigmentError):
    """The rows could not be written to disk, or read back."""


class UnsuitableValue(PigmentError):
    """A value that does not fit the type of its column."""


class LoadFailed(PigmentError):
    """A push was refused, or its import failed or lost rows."""


class RequestFailed(LoadFailed):
    """An HTTP exchange that failed for good."""
