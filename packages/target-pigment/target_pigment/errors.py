"""What ends a run, each as one line that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Sequence


class PigmentError(Exception):
    """Base of all errors that a user can put right; `str` is the one line to show."""


class InvalidSettings(PigmentError):
    """Settings that no run can use.

    Attributes:
        problems: one sentence each: which setting, what is wrong, what to do.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problems))


class BrokenInput(PigmentError):
    """The tap's output cannot be read; nothing was pushed."""


class UnsuitableStream(PigmentError):
    """A stream's schema or course does not fit its settings."""


class UnsuitableRecord(PigmentError):
    """A record that does not fit its SCHEMA; the message holds none of its values."""


class SpoolFailed(PigmentError):
    """The disk did not take the rows, or lost them."""


class Unrenderable(PigmentError):
    """A value that cannot become a cell of the type asked for."""


class LoadFailed(PigmentError):
    """A push was refused, or its import failed or lost rows."""


class RequestFailed(LoadFailed):
    """An HTTP exchange that failed for good."""
