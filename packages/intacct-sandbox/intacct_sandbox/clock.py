"""The sandbox's time: whole seconds, UTC. Tests turn a clock of their own."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Aware, UTC, whole seconds."""


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        """The time of day."""
        return datetime.now(timezone.utc).replace(microsecond=0)


class ManualClock:
    """A clock that stands still until it is moved."""

    def __init__(self, start: datetime) -> None:
        """Start at an aware instant."""
        self._now = start.astimezone(timezone.utc).replace(microsecond=0)

    def now(self) -> datetime:
        """Where the clock stands."""
        return self._now

    def advance(self, seconds: int) -> None:
        """Move on, or back."""
        self._now += timedelta(seconds=seconds)
