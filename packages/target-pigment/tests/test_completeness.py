"""What proves that a stream came whole: the messages of taps, complete and cut short."""

from __future__ import annotations

from collections.abc import Iterable
from copy import deepcopy
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pigment.completeness import Course, EndMark, Evidence
from tests.sdk_model import Message, SdkTap, Table


def course_of(messages: Iterable[Message]) -> Course:
    course = Course()
    for message in messages:
        take(course, message)
    return course


def take(course: Course, message: Message) -> None:
    if message["type"] == "SCHEMA":
        course.take_schema(message["stream"])
    elif message["type"] == "RECORD":
        course.take_record(message["stream"], message.get("version"))
    elif message["type"] == "STATE":
        course.take_state(message["value"])
    else:
        course.take_activation(message["stream"], message["version"])


def evidence(
    messages: Iterable[Message], name: str = "s", mark: EndMark = "auto"
) -> Evidence:
    return course_of(messages).evidence([name], mark)


def schema(name: str = "s") -> Message:
    return {"type": "SCHEMA", "stream": name}


def rows(count: int, name: str = "s", version: int | None = None) -> list[Message]:
    message: Message = {"type": "RECORD", "stream": name, "version": version}
    return [message] * count


def state(**value: Any) -> Message:
    return {"type": "STATE", "value": value}


def bookmark(name: str = "s", **entry: Any) -> Message:
    return state(bookmarks={name: entry})


def activate(version: int, name: str = "s") -> Message:
    return {"type": "ACTIVATE_VERSION", "stream": name, "version": version}


@pytest.mark.parametrize(
    ("count", "shows_end"),
    [(0, True), (9_999, True), (10_000, False), (10_001, False), (30_000, False)],
)
def test_a_full_table_of_the_sdk(count: int, shows_end: bool) -> None:
    """Only a STATE that cannot be the one after each 10,000 rows is the end."""
    found = evidence(SdkTap((Table("s", count),)).messages())
    assert found.has_ended is shows_end
    assert found.position == ""


@pytest.mark.parametrize("count", [9_999, 10_000, 10_001, 30_000])
def test_a_full_table_of_the_sdk_before_another_stream(count: int) -> None:
    tap = SdkTap((Table("s", count), Table("t", 3)), interval=10_000)
    found = course_of(tap.messages()).evidence(["s", "t"], "auto")
    assert found == Evidence(has_ended=True, is_covered=True)


@pytest.mark.parametrize("method", ["FULL", "SORTED", "UNSORTED"])
@pytest.mark.parametrize("ends_by", ["SIGKILL", "SIGTERM"])
@pytest.mark.parametrize("incoming", [{}, {"bookmarks": {"s": {}}}])
def test_a_tap_of_the_sdk_that_dies_at_each_thousandth_row(
    method: str, ends_by: str, incoming: dict[str, Any]
) -> None:
    tap = SdkTap((Table("s", 30_000, method),), incoming)
    course, count = Course(), 0
    for message in tap.messages():
        take(course, message)
        count += message["type"] == "RECORD"
        if count and count % 1_000 == 0 and count < 30_000:
            died = deepcopy(course)
            for last in deepcopy(tap).terminated() if ends_by == "SIGTERM" else []:
                take(died, last)
            assert not died.evidence(["s"], "auto").has_ended


NAMES = ("a", "b", "c", "d")


@st.composite
def taps(draw: st.DrawFn, *, may_ask: bool = True) -> SdkTap:
    methods = st.sampled_from(["FULL", "SORTED", "UNSORTED"])
    flags = st.booleans()
    asking = st.booleans() if may_ask else st.sampled_from([False])
    tables = []
    for name in NAMES[: draw(st.integers(1, 4))]:
        children = tuple(
            Table(
                f"{name}{n}", draw(st.integers(0, 3)), draw(methods),
                has_parts_in_state=draw(flags), asks_for_start=draw(asking),
            )
            for n in range(draw(st.integers(0, 2)))
        )  # fmt: skip
        most = 4 if children else 220
        count, method = draw(st.integers(0, most)), draw(methods)
        parts = 0 if children else draw(st.integers(0, 3))
        asks = draw(asking)
        table = Table(name, count, method, parts, children, asks_for_start=asks)
        tables.append(table)
    before = SdkTap(tuple(tables), interval=100)
    states = [m["value"] for m in before.messages() if m["type"] == "STATE"]
    known = states[-1]["bookmarks"] if states else {}
    kept = {name: entry for name, entry in known.items() if draw(flags)}
    incoming = {"bookmarks": kept} if kept else {}
    return SdkTap(tuple(tables), incoming, interval=100, activates=draw(flags))


def cut_short(tap: SdkTap, cut: int) -> tuple[list[Message], set[str]]:
    """The messages up to one of them, and the streams of which rows are missing."""
    everything = list(tap.messages())
    sent = list(islice(tap.messages(), 1 + cut % len(everything)))
    rest = everything[len(sent) :]
    return sent, {m["stream"] for m in rest if m["type"] == "RECORD"}


def assert_none_is_whole(sent: list[Message], missing: set[str]) -> None:
    course = course_of(sent)
    for name in missing & set(course.streams):
        assert not course.evidence([name], "auto").has_ended, (name, sent)


CUTS = st.integers(0, 1_000_000)


@given(taps(), CUTS)
def test_no_stream_of_the_sdk_that_was_cut_short_is_taken_for_whole(
    tap: SdkTap, cut: int
) -> None:
    """Parents, children, partitions, earlier states; cut at any message."""
    assert_none_is_whole(*cut_short(tap, cut))


@given(taps(may_ask=False), CUTS)
def test_nor_is_one_of_a_tap_that_got_sigterm(tap: SdkTap, cut: int) -> None:
    """Unless it asks where to begin: then no message tells it from a finished one."""
    sent, missing = cut_short(tap, cut)
    assert_none_is_whole([*sent, *tap.terminated()], missing)


@pytest.mark.parametrize(
    ("messages", "shows_end"),
    [
        # ACTIVATE_VERSION after the rows.
        ([schema(), *rows(1_000, version=7), activate(7)], True),
        # Before them only: the SDK, and incremental streams of classic taps.
        ([schema(), activate(7), *rows(3, version=7)], False),
        ([schema(), activate(7), *rows(3, version=7), bookmark()], True),
        # Of another version than the rows.
        ([schema(), *rows(3, version=6), activate(7)], False),
        # It is still to come.
        ([schema(), *rows(3, version=7), bookmark()], False),
        # An empty table: before its STATE, or after.
        ([schema(), activate(7)], False),
        ([schema(), bookmark(), activate(7)], True),
        # `currently_syncing` of classic taps.
        ([state(currently_syncing="s"), schema(), *rows(1_000),
          state(currently_syncing="s")], False),
        ([state(currently_syncing="s"), schema(), *rows(1_000),
          state(currently_syncing=None)], True),
        ([state(currently_syncing="s"), schema(), *rows(1_000),
          state(currently_syncing="t")], True),
        ([schema(), *rows(3), state(bookmarks={"s": {}}, currently_syncing="s")], False),
        # STATE that says nothing of the stream.
        ([schema(), *rows(3), state(bookmarks={})], False),
        # STATE after each page.
        ([schema(), *rows(33), bookmark(), *rows(33), bookmark()], False),
        # Streams that are read at the same time.
        ([schema(), *rows(3), schema("t"), *rows(3, "t"), *rows(3), schema("u")], False),
        # A tap that sends all SCHEMAs first.
        ([schema(), schema("t"), *rows(3)], False),
        # Our own tap in mid-reading.
        ([schema(), *rows(3), bookmark(reading={"after": [3]})], False),
    ],
)  # fmt: skip
def test_signs_of_the_end(messages: list[Message], shows_end: bool) -> None:
    assert evidence(messages).has_ended is shows_end


ALL = [schema(), *rows(3)]


@pytest.mark.parametrize(
    ("value", "position"),
    [
        ({"bookmarks": {"s": {}}}, ""),
        ({"bookmarks": {"s": None}}, ""),
        ({"bookmarks": {}}, ""),
        ({}, ""),
        ({"bookmarks": {}, "currently_syncing": "s"}, ""),
        ({"bookmarks": {"s": {"partitions": [{"context": {"part": "a"}}]}}}, ""),
        ({"bookmarks": {"s": {}, "t": {"updated_at": "2026"}}}, ""),
        ({"bookmarks": {"s": {}, "gone": {"updated_at": "2026"}}}, ""),
        ({"bookmarks": {"t": {"updated_at": "2026"}}}, ""),
        ({"t": {"updated_at": "2026"}}, ""),
        ({"bookmarks": {"s": {"replication_key_value": 3}}}, "a bookmark of s"),
        ({"bookmarks": {"s": {"partitions": [
            {"context": {"part": "a"}, "replication_key_value": 3}]}}},
         "a bookmark of s"),
        ({"bookmarks": {"s": {"progress_markers": {"replication_key_value": 3}}}},
         "a bookmark of s"),
        ({"bookmarks": {"s": {"updated_at": "2026"}}}, "a bookmark of s"),
        ({"bookmarks": {"s": {"a": {"b": [{"since": 0}]}}}}, "a bookmark of s"),
        ({"bookmarks": {"s": "2026"}}, "a bookmark of s"),
        ({"bookmarks": {"s": False}}, "a bookmark of s"),
        ({"s": {"updated_at": "2026"}}, "a bookmark of s"),
        ({"bookmarks": {"public-s": {"xmin": 3}}}, "'public-s'"),
        ({"bookmarks": {"s": {}}, "last_run": "2026"}, "'last_run'"),
        ({"bookmarks": ["2026"]}, "'bookmarks'"),
        ({"at": 1}, "'at'"),
        ({"currently_syncing": {"s": 3}}, "'currently_syncing'"),
    ],
)  # fmt: skip
def test_any_value_that_may_be_a_position_makes_a_stream_one_of_changes(
    value: dict[str, Any], position: str
) -> None:
    for messages in (
        [state(**value), *ALL, schema("t")],
        [*ALL, schema("t"), state(**value)],
    ):
        found = evidence(messages).position
        assert position in found
        assert bool(found) is bool(position)


def test_activation_after_the_rows_proves_a_stream_whole_whatever_state_holds() -> None:
    held = bookmark(company="acme", selection="1f", version=2)
    assert not evidence([schema(), *rows(3), held, activate(7)]).position
    assert evidence([schema(), activate(7), *rows(3, version=7), held]).position


def test_without_state_nothing_is_known_unless_the_user_vouches() -> None:
    assert evidence([*ALL, schema("t")]).position == "there was no STATE"
    assert not evidence(ALL, mark="none").position


@pytest.mark.parametrize(
    "under_way",
    [
        {"reading": {"after": [3]}},
        {"last_pk_fetched": {"id": 3}},
        {"partitions": [{"reading": {"after": [3]}}]},
    ],
)
def test_a_full_table_that_is_resumed_is_not_whole(under_way: dict[str, Any]) -> None:
    resumed = [bookmark(**under_way), schema(), *rows(3, version=7), activate(7)]
    assert evidence(resumed).resumes
    assert not evidence(resumed[1:]).resumes
    merged = [bookmark(reading=None), *resumed[1:]]
    assert not evidence(merged).resumes


@pytest.mark.parametrize(
    ("mark", "last", "has_ended"),
    [
        ("state", state(at=1), True),
        ("state", bookmark(reading={"after": [1]}), False),
        ("state", activate(7), False),
        ("activate_version", activate(7), True),
        ("activate_version", bookmark(), False),
        ("none", schema(), True),
    ],
)
def test_a_mark_of_the_users_choice(
    mark: EndMark, last: Message, has_ended: bool
) -> None:
    assert evidence([*ALL, last], mark=mark).has_ended is has_ended


@pytest.mark.parametrize(
    ("last", "is_covered"),
    [
        (state(at=1), True),
        (bookmark(reading={"after": [3]}), True),
        (bookmark(progress_markers={"replication_key_value": 3}), False),
        (state(currently_syncing="s"), False),
        (activate(7), True),
        (schema("t"), False),
    ],
)
def test_rows_that_the_next_run_does_not_send_again(
    last: Message, is_covered: bool
) -> None:
    assert evidence([*ALL, last]).is_covered is is_covered
