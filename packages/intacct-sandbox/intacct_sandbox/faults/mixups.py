"""Replies that reach another call than their own.

A cache, or a proxy that mixes up its connections, sends whole and valid answers to the
wrong question. So this keeps the last reply to each function of each object, and lets
two calls that are served at once exchange theirs.
"""

from __future__ import annotations

import threading

from intacct_sandbox.faults.damage import Damage
from intacct_sandbox.faults.faults import FaultKind
from intacct_sandbox.wire.calls import Call
from intacct_sandbox.wire.replies import Reply

LONGEST_WAIT_SECONDS = 0.5
"""For a partner; without one a call gets its own reply."""


class Mixups:
    """Thread-safe."""

    def __init__(self) -> None:
        """Start with nothing said."""
        self._lock = threading.Lock()
        self._last: dict[tuple[str, str], Reply] = {}
        self._waiting: _Meeting | None = None

    def reply(self, damage: Damage, call: Call, own: Reply) -> Reply:
        """What a call gets in the end."""
        for _, fault in damage.hits:
            if fault.kind is FaultKind.SWAPPED:
                own = self._exchanged(own)
        asked = (call.function, call.object_name.upper())
        with self._lock:
            given = self._instead(damage, asked, own)
            self._last[asked] = own
        return given

    def _instead(self, damage: Damage, asked: tuple[str, str], own: Reply) -> Reply:
        others = [reply for key, reply in self._last.items() if key[1] != asked[1]]
        for _, fault in damage.hits:
            if fault.kind is FaultKind.STALE_ANSWER:
                return self._last.get(asked, own)
            if fault.kind is FaultKind.OTHERS_ANSWER and others:
                return others[-1]
        return own

    def _exchanged(self, own: Reply) -> Reply:
        with self._lock:
            partner, self._waiting = self._waiting, None
            if partner is None:
                mine = self._waiting = _Meeting(own)
        if partner is not None:
            return partner.meet(own)
        mine.wait()
        with self._lock:
            if self._waiting is mine:
                self._waiting = None
        return mine.received


class _Meeting:
    """One call waits for another."""

    def __init__(self, own: Reply) -> None:
        self._own = own
        self._met = threading.Event()
        self.received = own

    def meet(self, other: Reply) -> Reply:
        """Give a reply, and take that of who waits."""
        self.received = other
        self._met.set()
        return self._own

    def wait(self) -> None:
        """Until another call has come, but not for ever."""
        self._met.wait(LONGEST_WAIT_SECONDS)
