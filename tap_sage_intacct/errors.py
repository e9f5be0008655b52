"""The root of all errors that a user can put right.

The text of such an error says what is wrong and what to do. The commands show it
unchanged. Every other error is a fault of the tap, or of a library.
"""

from __future__ import annotations

from collections.abc import Iterable


class TapError(Exception):
    """Something is wrong that a user can put right.

    Attributes:
        problems: what is wrong and what to do, one text for each problem.
    """

    def __init__(self, *problems: str) -> None:
        self.problems = problems
        super().__init__(" ".join(problems))


class InvalidSettings(TapError):
    """Settings that no run can use."""


def refuse(problems: Iterable[str]) -> None:
    """Raise `InvalidSettings`, if there are any problems.

    Args:
        problems: one sentence each: which setting, what is wrong, what to do.
    """
    if found := tuple(problems):
        raise InvalidSettings(*found)
