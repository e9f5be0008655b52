"""Pages that are asked for ahead: the same rows in the same order, whatever the guesses."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil

import pytest

from intacct_sandbox import Fault, FaultKind, Sandbox, Switches
from tap_sage_intacct.catalog.sources import RECORD_NUMBER
from tap_sage_intacct.intacct.errors import PermissionDenied
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.pages.key_set import MAX_WRONG_GUESSES, KeySetPaging
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.settings.settings import Settings
from tests.intacct.asked_ahead import threads_ahead, wait_for_answers

OBJECT = "GLENTRY"
PAGE = 10


GONE: dict[str, Callable[[list[int]], list[int]]] = {
    "none": lambda numbers: numbers[:0],
    "a few": lambda numbers: [n for n in numbers if n * 7919 % 23 == 1],
    "a hole": lambda numbers: numbers[150:210],
    "every second of some": lambda numbers: numbers[300:400:2],
}


def reader(sandbox: Sandbox, connections: int) -> ObjectReader:
    config = sandbox.config() | {"max_connections": connections, "max_retries": 0}
    settings = Settings.from_config(config).gateway
    assert isinstance(settings, GatewaySettings)
    return ObjectReader(XmlGateway(settings), OBJECT, ("RECORDNO",), page_size=PAGE)


def numbers_of(sandbox: Sandbox) -> list[int]:
    return sorted(int(str(r["RECORDNO"])) for r in sandbox.company.truth(OBJECT))


@pytest.mark.parametrize("gone", GONE)
@pytest.mark.parametrize("in_flight", [0, 2, 4])
def test_every_row_comes_once_and_in_order(
    sandbox: Sandbox, gone: str, in_flight: int
) -> None:
    with sandbox.company.transaction():
        for number in GONE[gone](numbers_of(sandbox)):
            sandbox.company.delete(OBJECT, number)
    found = reader(sandbox, max(in_flight, 1))
    pages = list(KeySetPaging(found, RECORD_NUMBER, ahead=in_flight).pages())
    expected = numbers_of(sandbox)
    assert [int(row["RECORDNO"]) for page in pages for row in page.rows] == expected
    positions = [page.position for page in pages]
    assert positions == [(int(page.rows[-1]["RECORDNO"]),) for page in pages]
    calls = [call for call in sandbox.calls if call.function == "query"]
    fewest = ceil(len(expected) / PAGE)
    if not in_flight:
        assert len(calls) == fewest
    # A wrong guess costs a call, and may leave others in flight for nothing.
    assert len(calls) <= fewest * 1.1 + MAX_WRONG_GUESSES * max(in_flight, 1)


def test_as_many_calls_are_in_flight_as_may_be(sandbox: Sandbox) -> None:
    slow = Fault(FaultKind.SLOW, function="query", seconds=0.05, times=None)
    sandbox.faults.add(slow)
    list(KeySetPaging(reader(sandbox, 4), RECORD_NUMBER, ahead=4).pages())
    assert sandbox.most_in_flight == 4


def test_first_page_is_asked_for_before_anybody_reads(sandbox: Sandbox) -> None:
    KeySetPaging(reader(sandbox, 1), RECORD_NUMBER, ahead=1).pages()
    wait_for_answers()
    assert [call.function for call in sandbox.calls].count("query") == 1


def test_next_page_is_under_way_while_one_is_used(sandbox: Sandbox) -> None:
    pages = KeySetPaging(reader(sandbox, 1), RECORD_NUMBER, ahead=1).pages()
    assert next(pages).rows
    wait_for_answers()
    assert [call.function for call in sandbox.calls].count("query") == 2


def test_fault_of_a_page_that_was_asked_ahead_ends_the_reading(
    sandbox: Sandbox,
) -> None:
    # Other tests of this process may have left some.
    earlier = threads_ahead()
    pages = KeySetPaging(reader(sandbox, 4), RECORD_NUMBER, ahead=4).pages()
    assert next(pages).rows
    wait_for_answers()
    sandbox.switches = Switches(denied_objects=frozenset({OBJECT}))
    # What was in flight before is given out first.
    assert all(next(pages).rows for _ in range(4))
    with pytest.raises(PermissionDenied):
        next(pages)
    wait_for_answers()
    assert set(threads_ahead()) <= set(earlier)
