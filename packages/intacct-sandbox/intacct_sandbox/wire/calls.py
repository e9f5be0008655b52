"""The record of what was asked: one entry per function the gateway received.

Tests count calls, as Intacct bills them, and look at the very bytes that arrived.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Call:
    """One function of one request.

    Attributes:
        number: 1 for the first function the sandbox received, then upwards.
        function: its element name; empty if the document could not be read.
        object_name: as requested; empty if the function names none.
        http_status: 0 while the call is being served, or if the connection was
            dropped before a status was sent.
        rows: rows in the answer.
        seconds: time taken to serve the whole request.
        body: the function element as received, or the whole document if it
            could not be read. Holds no credentials in the first case.
    """

    number: int
    function: str
    object_name: str
    control_id: str
    body: bytes
    http_status: int = 0
    rows: int = 0
    seconds: float = 0.0


class CallLog:
    """Calls in the order of their numbers. Thread-safe."""

    def __init__(self) -> None:
        """Start empty, at number 1."""
        self._lock = threading.Lock()
        self._issued = 0
        self._calls: list[Call] = []

    def next_number(self) -> int:
        """Number of the next call; never given twice."""
        with self._lock:
            self._issued += 1
            return self._issued

    def add(self, call: Call) -> None:
        """Keep a call that has been answered."""
        with self._lock:
            self._calls.append(call)

    def all(self) -> list[Call]:
        """A copy, sorted by number."""
        with self._lock:
            return sorted(self._calls, key=lambda call: call.number)

    def clear(self) -> None:
        """Forget the calls so far; numbers go on."""
        with self._lock:
            self._calls.clear()
