"""Calling again what failed in passing: how often, and after what pauses.

Knows what errors ask for, not what is called. Waiting is left to `backoff`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import backoff

from tap_sage_intacct.intacct.errors import (
    DatabaseRefused,
    IntacctError,
    TransientError,
)

if TYPE_CHECKING:
    from collections.abc import Generator

    from backoff.types import Details

T = TypeVar("T")

# DL02000001 is a bad field as a rule and a passing fault at times [C]: few tries.
DATABASE_TRIES = 3

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patiently a transient error is met.

    The pause before retry n is drawn from 0 to `first_pause_seconds` x 2^n ("full
    jitter"), never more than `longest_pause_seconds`, never less than Intacct asks.
    """

    max_retries: int = 8
    first_pause_seconds: float = 2.0
    longest_pause_seconds: float = 120.0


def patiently(policy: RetryPolicy, once: Callable[[], T]) -> T:
    """Run with retries: many for transient errors, few for the database's."""
    few = backoff.on_exception(
        lambda: _pauses(policy),
        DatabaseRefused,
        max_tries=min(DATABASE_TRIES, policy.max_retries + 1),
        jitter=None,
        logger=None,
        on_backoff=_log_retry,
    )
    many = backoff.on_exception(
        lambda: _pauses(policy),
        TransientError,
        max_tries=policy.max_retries + 1,
        jitter=None,
        logger=None,
        on_backoff=_log_retry,
    )
    return many(few(once))()


def _pauses(policy: RetryPolicy) -> Generator[float, IntacctError | None, None]:
    """Seconds to wait before each retry; is sent the error that caused it."""
    ceiling = policy.first_pause_seconds
    error = yield 0
    while True:
        asked = error.retry_after_seconds if error else None
        pause = secrets.SystemRandom().uniform(0, ceiling)
        ceiling = min(ceiling * 2, policy.longest_pause_seconds)
        error = yield max(pause, asked or 0)


def _log_retry(details: Details) -> None:
    logger.warning(
        "Retry %d in %.1f s: %s",
        details["tries"],
        details["wait"],
        details["exception"],
    )
