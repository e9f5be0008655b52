"""What the faults that hit one request do to it.

There are four tables, one for each moment at which a fault can strike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from intacct_sandbox.faults.faults import Fault, FaultKind, Faults
from intacct_sandbox.wire import replies
from intacct_sandbox.wire.calls import Call
from intacct_sandbox.wire.errors import (
    FunctionRefusal,
    Refusal,
    database_error,
)
from intacct_sandbox.wire.replies import Reply

RefusalT = TypeVar("RefusalT", bound=Refusal)
T = TypeVar("T")


_INSTEAD: Mapping[FaultKind, Callable[[], Reply]] = {
    FaultKind.RATE_LIMIT: replies.rate_limited,
    FaultKind.RATE_LIMIT_IN_BODY: replies.rate_limited_in_body,
    FaultKind.HTTP_500: partial(replies.server_error, 500),
    FaultKind.HTTP_502: partial(replies.server_error, 502),
    FaultKind.HTTP_503: partial(replies.server_error, 503),
    FaultKind.HTTP_504: partial(replies.server_error, 504),
    FaultKind.CLOUDFLARE: replies.cloudflare_page,
    FaultKind.TRY_AGAIN: replies.try_again_later,
    FaultKind.EXTERNAL_ENTITY: replies.external_entity,
    FaultKind.ENTITY_BOMB: replies.entity_bomb,
    FaultKind.NOT_XML: replies.not_xml,
}
_RESULTS: Mapping[FaultKind, Callable[[], FunctionRefusal]] = {
    FaultKind.OFFLINE: lambda: FunctionRefusal.of(
        "The Service is Temporarily Off-line"
    ),
    FaultKind.TOO_MANY_OPERATIONS: lambda: FunctionRefusal.of("too many operations"),
    FaultKind.DATABASE_ERROR: database_error,
}
_AFTERWARDS: Mapping[FaultKind, Callable[[Reply], Reply]] = {
    FaultKind.HTTP_524: lambda _: replies.server_error(524),
    FaultKind.TRUNCATED: replies.truncated,
    FaultKind.CONTROL_CHARACTERS: replies.with_control_character,
    FaultKind.ROWS_REVERSED: replies.with_rows_reversed,
    FaultKind.ROWS_LOST: replies.without_rows,
    FaultKind.RESULT_ID_LOST: replies.without_result_id,
    FaultKind.DROP_BEFORE_HEADERS: partial(replies.dropped, cut="before_headers"),
    FaultKind.DROP_AFTER_HEADERS: partial(replies.dropped, cut="after_headers"),
}


@dataclass(frozen=True, slots=True)
class Damage:
    """The faults that hit a request, with the call that drew each."""

    hits: tuple[tuple[Call, Fault], ...]

    @classmethod
    def draw(cls, faults: Faults, calls: list[Call]) -> Damage:
        """Let the schedule strike the calls of one request."""
        hits = [(call, fault) for call in calls for fault in faults.strike(call)]
        return cls(tuple(hits))

    @property
    def seconds(self) -> float:
        """How much later the answer comes."""
        return sum(fault.seconds for _, fault in self.hits)

    @property
    def expires_session(self) -> bool:
        """Whether the request finds its session gone."""
        return any(fault.kind is FaultKind.SESSION_EXPIRED for _, fault in self.hits)

    def instead(self) -> Reply | None:
        """The reply that is sent while nothing is executed, if any."""
        return _first((fault for _, fault in self.hits), _INSTEAD, Reply)

    def check(self, level: type[RefusalT]) -> None:
        """Let the whole request be refused at a level, if that was ordered.

        Raises:
            RefusalT: the one that was ordered.
        """
        found = _first((fault for _, fault in self.hits), {}, level)
        if found is not None:
            raise found

    def refusal(self, call: Call) -> FunctionRefusal | None:
        """What one function answers instead of its result, if anything."""
        own = (fault for hit, fault in self.hits if hit.number == call.number)
        return _first(own, _RESULTS, FunctionRefusal)

    def afterwards(self, reply: Reply) -> Reply:
        """The reply to work that has been done, as it arrives."""
        for _, fault in self.hits:
            if fault.kind in _AFTERWARDS:
                reply = _AFTERWARDS[fault.kind](reply)
            if fault.rewrite is not None:
                reply = fault.rewrite(reply)
        return reply


def _first(
    faults: Iterable[Fault], table: Mapping[FaultKind, Callable[[], T]], kind: type[T]
) -> T | None:
    """What the first of these faults gives that the table has, or whose answer fits."""
    for fault in faults:
        if fault.kind in table:
            return table[fault.kind]()
        if isinstance(fault.answer, kind):
            return fault.answer
    return None
