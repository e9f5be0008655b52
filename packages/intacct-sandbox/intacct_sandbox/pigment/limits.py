"""Pigment's two rate limits, by a clock that tests may turn.

Source: kb.pigment.com/docs/rate-limits-for-pigment-public-api.md and the OpenAPI.
"""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable

WINDOW_SECONDS = 300
HOUR_SECONDS = 3600


class RateLimit:
    """So many calls of one kind in so many seconds."""

    def __init__(self, seconds: int, now: Callable[[], float]) -> None:
        """Describe a limit.

        Args:
            seconds: length of the sliding window.
            now: seconds that never go back.
        """
        self._seconds = seconds
        self._now = now
        self._lock = threading.Lock()
        self._calls: defaultdict[str, deque[float]] = defaultdict(deque)

    def allows(self, who: str, limit: int) -> bool:
        """Whether one more call is within the limit; if so it is counted."""
        with self._lock:
            calls = self._calls[who]
            while calls and calls[0] <= self._now() - self._seconds:
                calls.popleft()
            if len(calls) >= limit:
                return False
            calls.append(self._now())
            return True
