"""Calling again what failed in passing: how often, and after what pauses.

Knows what errors ask for, not what is called. Waiting is left to `backoff`.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import backoff
from backoff.types import Details

from tap_sage_intacct.intacct.errors import (
    DatabaseRefused,
    HostUnreachable,
    IntacctError,
    SessionExpired,
    TransientError,
    WrongAnswer,
)

T = TypeVar("T")

# DL02000001 is a bad field as a rule and a passing fault at times [C]: few tries. A
# session may end under each of several calls that are under way, but not for ever.
FEW_TRIES = 3
WRONG_ANSWER_TRIES = 2

FIRST_CONTACT_TRIES = 3
FIRST_CONTACT_SECONDS = 6.0
"""How long a host that has never answered is tried; a try may take some seconds more."""

LONGEST_ASKED_PAUSE_SECONDS = 300.0
"""More patience than this is not asked for by `Retry-After`."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How patiently a transient error is met.

    The pause before retry n is drawn from 0 to `first_pause_seconds` x 2^n ("full
    jitter"), never more than `longest_pause_seconds`. Never less than Intacct asks, if
    that is no more than `LONGEST_ASKED_PAUSE_SECONDS`.
    """

    max_retries: int = 8
    first_pause_seconds: float = 2.0
    longest_pause_seconds: float = 120.0


def patiently(policy: RetryPolicy, once: Callable[[], T]) -> T:
    """Run with retries: many for transient errors, few for others that may pass."""
    tries: list[tuple[type[IntacctError] | tuple[type[IntacctError], ...], int]] = [
        (WrongAnswer, WRONG_ANSWER_TRIES),
        ((DatabaseRefused, SessionExpired), FEW_TRIES),
        (HostUnreachable, FIRST_CONTACT_TRIES),
        (TransientError, policy.max_retries + 1),
    ]
    for errors, most in tries:
        once = backoff.on_exception(
            lambda: _pauses(policy),
            errors,
            max_tries=min(most, policy.max_retries + 1),
            max_time=FIRST_CONTACT_SECONDS if errors is HostUnreachable else None,
            giveup=partial(_is_first_contact, unless=errors is HostUnreachable),
            jitter=None,
            logger=None,
            on_backoff=_log_retry,
        )(once)
    return once()


def _is_first_contact(error: Exception, *, unless: bool) -> bool:
    return isinstance(error, HostUnreachable) and not unless


def _pauses(policy: RetryPolicy) -> Generator[float, IntacctError | None, None]:
    """Seconds to wait before each retry; is sent the error that caused it."""
    ceiling = policy.first_pause_seconds
    error = yield 0
    while True:
        asked = error.retry_after_seconds if error else None
        pause = secrets.SystemRandom().uniform(0, ceiling)
        ceiling = min(ceiling * 2, policy.longest_pause_seconds)
        error = yield max(pause, min(asked or 0, LONGEST_ASKED_PAUSE_SECONDS))


def _log_retry(details: Details) -> None:
    logger.warning(
        "Retry %d in %.1f s: %s",
        details["tries"],
        details["wait"],
        details["exception"],
    )
