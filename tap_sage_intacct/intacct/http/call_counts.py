"""Calls, counted for whatever they are made for."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_counted_for: ContextVar[str] = ContextVar("counted_for", default="")


@contextmanager
def counted_for(name: str) -> Iterator[None]:
    """Count the calls made meanwhile, also those asked ahead, for a name."""
    token = _counted_for.set(name)
    try:
        yield
    finally:
        _counted_for.reset(token)


class CallCounts:
    """How many calls were made, in whatever thread.

    A request may hold several: Intacct bills each function that reads [D].
    """

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        # Held by nobody who waits for anything else.
        self._lock = threading.Lock()

    def count(self, calls: int) -> None:
        """So many more, for the name that is counted for."""
        with self._lock:
            self._calls[_counted_for.get()] += calls

    @property
    def total(self) -> int:
        """Of all names, and of none."""
        with self._lock:
            return self._calls.total()

    def of(self, name: str) -> int:
        """Those of one name."""
        return self._calls[name]
