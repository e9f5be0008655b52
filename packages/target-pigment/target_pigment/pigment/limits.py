"""When a call may be made, and whether it may be repeated: limits and retries."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime

import requests

from target_pigment.errors import RequestFailed
from target_pigment.settings.settings import RetryPolicy

HOUR = 3600.0
WINDOW = 300.0
PUSHES_PER_HOUR = 299  # documented: 300 per configuration, then 429
REQUESTS_PER_WINDOW = 495  # documented: 500 per address in 5 minutes, polls included

_HOURLY_LIMIT = "per configuration per hour"
_LONGEST_PAUSE = 60  # seconds


@dataclass(frozen=True, slots=True)
class Clock:
    """Time, for tests to replace; seconds that never go back."""

    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(slots=True)
class Rate:
    """Keeps calls under so many in so many seconds, by waiting."""

    limit: int
    seconds: float
    clock: Clock
    _times: deque[float] = field(default_factory=deque)

    def wait(self) -> None:
        """Until one more call is allowed."""
        if len(self._times) >= self.limit:
            pause = self._times.popleft() + self.seconds - self.clock.now()
            self.clock.sleep(max(pause, 0))
        self._times.append(self.clock.now())


@dataclass(slots=True)
class Attempts:
    """Waits before a call is repeated, and ends the run after too many repeats."""

    policy: RetryPolicy
    clock: Clock
    logger: logging.Logger
    _made: int = 1
    _patience: dict[float, float] = field(
        default_factory=lambda: {HOUR: HOUR, WINDOW: 2 * WINDOW}
    )

    def again(self, what: str) -> None:
        """Wait a little longer each time.

        Raises:
            RequestFailed: the call was made as often as it may be.
        """
        if self._made >= self.policy.max_attempts:
            raise RequestFailed(
                f"{what}; gave up after {self.policy.max_attempts} attempts."
            )
        pause = min(2 ** (self._made - 1), _LONGEST_PAUSE)
        self._made += 1
        self.logger.warning("Pigment: %s; trying again in %g s.", what, pause)
        self.clock.sleep(pause)

    def wait_for_limit(self, answer: requests.Response) -> None:
        """Wait as Pigment asks, or else as long as the limit. A 429 was not accepted.

        Raises:
            RequestFailed: it would take too long.
        """
        window = HOUR if _HOURLY_LIMIT in answer.text.lower() else WINDOW
        pause = _retry_after(answer) or (WINDOW if window == HOUR else WINDOW / 5)
        if self._patience[window] < pause:
            raise RequestFailed(_over_limit(answer, window))
        self._patience[window] -= pause
        self.logger.warning("Pigment's rate limit: waiting %g s.", pause)
        self.clock.sleep(pause)


def _over_limit(answer: requests.Response, window: float) -> str:
    hourly = (
        "over 300 pushes of this configuration within an hour; raise max_rows_per_push "
        "or run less often"
    )
    by_address = (
        "over 500 requests in 5 minutes from this address; raise poll.interval, or see "
        "what else calls Pigment from here"
    )
    if window == HOUR:
        return f"HTTP 429: {hourly}."
    if answer.text.strip():
        return f"HTTP 429: {by_address}."
    return f"HTTP 429, for no reason given: either {by_address}, or {hourly}."


def _retry_after(answer: requests.Response) -> float | None:
    """Seconds; None where the header is absent, unreadable or not in the future."""
    text = answer.headers.get("Retry-After", "").strip()
    if text.isdigit():
        return float(text) or None
    try:
        seconds = parsedate_to_datetime(text).timestamp() - time.time()
    except (TypeError, ValueError):
        return None
    return seconds if seconds > 0 else None
