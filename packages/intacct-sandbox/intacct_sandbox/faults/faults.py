"""Faults to order: what goes wrong, on which call, how often.

A test names a call by number, by function and object, or lets a seeded die decide; the
run is repeatable.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from random import Random

from intacct_sandbox.wire.calls import Call
from intacct_sandbox.wire.errors import Refusal
from intacct_sandbox.wire.replies import Reply


class FaultKind(Enum):
    """Everything that can go wrong. Sources: the facts' error table."""

    RATE_LIMIT = "HTTP 429 with GW-0010"
    RATE_LIMIT_IN_BODY = "the same text inside HTTP 200"
    HTTP_500 = "HTTP 500"
    HTTP_502 = "HTTP 502"
    HTTP_503 = "HTTP 503"
    HTTP_504 = "HTTP 504"
    HTTP_524 = "HTTP 524; the work has been done nevertheless"
    CLOUDFLARE = "the CDN's HTML page"
    OFFLINE = "result failure: The Service is Temporarily Off-line"
    TRY_AGAIN = "control failure: Please Try Again Later"
    TOO_MANY_OPERATIONS = "result failure: too many operations"
    DATABASE_ERROR = "result failure: DL02000001"
    SESSION_EXPIRED = "the session the request names has just expired"
    TRUNCATED = "half the body, HTTP itself intact"
    DROP_BEFORE_HEADERS = "connection closed without a word; the work has been done"
    DROP_AFTER_HEADERS = "connection closed in mid-body; the work has been done"
    SLOW = "an answer that comes `seconds` later"
    EXTERNAL_ENTITY = "a DOCTYPE that names a local file"
    ENTITY_BOMB = "a DOCTYPE that unfolds without end"
    CONTROL_CHARACTERS = "a character that neither XML nor JSON allows"
    NOT_XML = "plain text under an XML content type"
    ROWS_REVERSED = "the rows of the page in the opposite order"
    ROWS_LOST = "a page without rows, while others are said to remain"
    RESULT_ID_LOST = "a page of a result set without resultId, once"
    OTHERS_ANSWER = "the last answer to a call of another object"
    STALE_ANSWER = "the last answer to the same function of the same object"
    SWAPPED = "the answers to two calls that are served at once, exchanged"
    TO_ORDER = "whatever `answer` says"
    REWRITTEN = "what `rewrite` makes of the reply"


@dataclass(frozen=True, slots=True)
class Fault:
    """One order. All its conditions must hold for it to strike.

    Attributes:
        calls: numbers of calls; empty: any.
        function: name of a function; empty: any.
        object_name: name of an object; empty: any.
        times: how often it strikes at most; None: without end.
        probability: of striking a call that fits.
        seconds: only for SLOW.
        answer: only for TO_ORDER: a refusal, given at the level of its class, or a
            whole reply.
        rewrite: only for REWRITTEN: given the reply that would have been sent.
    """

    kind: FaultKind
    calls: frozenset[int] = frozenset()
    function: str = ""
    object_name: str = ""
    times: int | None = 1
    probability: float = 1.0
    seconds: float = 0.0
    answer: Refusal | Reply | None = None
    rewrite: Callable[[Reply], Reply] | None = None

    def fits(self, call: Call) -> bool:
        """Whether the call is one this fault is meant for."""
        return (
            (not self.calls or call.number in self.calls)
            and self.function in {"", call.function}
            and self.object_name.upper() in {"", call.object_name.upper()}
        )


class Faults:
    """The schedule of a sandbox. Thread-safe."""

    def __init__(
        self,
        *faults: Fault,
        seed: int = 0,
        between_calls: Callable[[Call], None] | None = None,
    ) -> None:
        """Order faults.

        Args:
            faults: the orders, looked at in turn.
            seed: of the die for faults with a probability.
            between_calls: run before each function is served, in the server's
                thread: here a test changes the company under a reader.
        """
        self.between_calls = between_calls
        self._lock = threading.Lock()
        self._random = Random(seed)
        self._faults = list(faults)
        self._struck = [0] * len(faults)

    def add(self, fault: Fault) -> None:
        """Order one more."""
        with self._lock:
            self._faults.append(fault)
            self._struck.append(0)

    def clear(self) -> None:
        """Cancel all orders."""
        with self._lock:
            self._faults.clear()
            self._struck.clear()

    @property
    def are_none(self) -> bool:
        """Whether nothing is ordered, and nothing happens between calls."""
        with self._lock:
            return not self._faults and self.between_calls is None

    @property
    def struck(self) -> Counter[FaultKind]:
        """How often each kind has struck."""
        with self._lock:
            counts: Counter[FaultKind] = Counter()
            for fault, times in zip(self._faults, self._struck, strict=True):
                counts[fault.kind] += times
            return counts

    def strike(self, call: Call) -> list[Fault]:
        """The faults that hit this call; each counts as having struck."""
        with self._lock:
            return [
                fault
                for index, fault in enumerate(self._faults)
                if fault.fits(call) and self._strikes(index, fault)
            ]

    def _strikes(self, index: int, fault: Fault) -> bool:
        if fault.times is not None and self._struck[index] >= fault.times:
            return False
        if fault.probability < 1 and self._random.random() >= fault.probability:
            return False
        self._struck[index] += 1
        return True
