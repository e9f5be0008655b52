"""Faults to order: what goes wrong, with which request, how often."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from enum import Enum


class PigmentFault(Enum):
    """Everything that can go wrong, by the facts' table of HTTP outcomes."""

    RESET_BEFORE = "connection closed; the request has not been taken"
    RESET_AFTER = "connection closed; the request has been carried out"
    HTTP_502 = "HTTP 502; the request has not been taken"
    HTTP_503 = "HTTP 503; the request has not been taken"
    GATEWAY_TIMEOUT = "HTTP 504; the request has been carried out"
    SLOW = "an answer that comes `seconds` later"
    STATUS_404 = "a status that is not known yet"
    STUCK = "an import that is InProgress for ever"
    UNKNOWN_STATUS = "an import whose status is a word that nobody knows"
    FAILED = "an import that fails for no fault of the file"
    ALL_SKIPPED = "an import that is Completed and skipped every row"


_ON_PUSH = frozenset(
    {
        PigmentFault.STUCK,
        PigmentFault.UNKNOWN_STATUS,
        PigmentFault.FAILED,
        PigmentFault.ALL_SKIPPED,
    }
)


@dataclass(slots=True)
class _Order:
    fault: PigmentFault
    on: str
    times_left: int
    to_pass: int
    seconds: float

    def strikes(self, request: str) -> bool:
        if self.on not in {"", request} or not self.times_left:
            return False
        if self.to_pass:
            self.to_pass -= 1
            return False
        self.times_left -= 1
        return True


class PigmentFaults:
    """The schedule of a workspace."""

    def __init__(self) -> None:
        """Nothing goes wrong at first."""
        self._lock = threading.Lock()
        self._orders: list[_Order] = []

    def add(
        self,
        fault: PigmentFault,
        *,
        times: int = 1,
        on: str = "",
        after: int = 0,
        seconds: float = 0.0,
    ) -> None:
        """Order one.

        Args:
            fault: what goes wrong.
            times: how often.
            on: `push`, `status`, `metadata` or `export`; empty: wherever it can.
            after: how many requests that fit are spared first.
            seconds: only for SLOW.
        """
        if fault in _ON_PUSH:
            on = "push"
        if fault is PigmentFault.STATUS_404:
            on = "status"
        with self._lock:
            self._orders.append(_Order(fault, on, times, after, seconds))

    def clear(self) -> None:
        """Cancel all orders."""
        with self._lock:
            self._orders.clear()

    def strike(self, request: str) -> dict[PigmentFault, float]:
        """The faults that hit a request of this kind, with their seconds."""
        with self._lock:
            return {
                order.fault: order.seconds
                for order in self._orders
                if order.strikes(request)
            }
