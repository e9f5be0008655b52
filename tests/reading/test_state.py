"""Checkpoints: there and back again, small, and refused when they cannot be read."""

import json
import re
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.reading.state.checkpoint import (
    Checkpoint,
    InvalidState,
    Origin,
    Pass,
    UnfinishedSync,
    check_bookmark,
    check_state,
    read_checkpoint,
    write_checkpoint,
)

ORIGIN = Origin("acme")
NOW = datetime(2026, 2, 1, tzinfo=timezone.utc)
INSTANTS = st.datetimes(
    datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)
).map(lambda instant: instant.replace(microsecond=0))
POSITIONS = st.lists(
    st.integers() | INSTANTS.map(datetime.isoformat), min_size=1, max_size=3
).map(tuple)


def is_possible(checkpoint: Checkpoint) -> bool:
    """A sync under way is a first one without a bookmark, or began after it."""
    done, sync = checkpoint.bookmark, checkpoint.unfinished
    if sync is None or done is None:
        return True
    return sync.current_pass is not Pass.INITIAL and sync.begun > done


CHECKPOINTS = st.builds(
    Checkpoint,
    st.none() | INSTANTS,
    st.none()
    | st.builds(
        UnfinishedSync,
        st.sampled_from(Pass),
        INSTANTS,
        INSTANTS,
        st.none() | POSITIONS,
    ),
    st.none() | POSITIONS,
).filter(is_possible)


@given(CHECKPOINTS)
def test_checkpoint_survives_a_state_file(checkpoint: Checkpoint) -> None:
    bookmark = {"starting_replication_value": "left by another version"}
    write_checkpoint(checkpoint, bookmark, "WHENMODIFIED", ORIGIN)
    text = json.dumps(bookmark)
    assert read_checkpoint(json.loads(text), "bills") == checkpoint
    assert len(text) < 2000
    assert "starting_replication_value" not in bookmark


def merge(new: dict[str, Any], old: dict[str, Any]) -> dict[str, Any]:
    """What Meltano makes of two states: objects key by key, all else replaced."""
    for key, value in new.items():
        if isinstance(value, dict):
            merge(value, old.setdefault(key, {}))
        else:
            old[key] = value
    return old


@given(st.lists(CHECKPOINTS, min_size=2, max_size=4))
def test_checkpoint_survives_a_merge_with_earlier_ones(
    checkpoints: list[Checkpoint],
) -> None:
    merged: dict[str, Any] = {}
    for checkpoint in checkpoints:
        bookmark: dict[str, Any] = {}
        write_checkpoint(checkpoint, bookmark, "WHENMODIFIED", ORIGIN)
        merged = merge(json.loads(json.dumps(bookmark)), merged)
    assert read_checkpoint(merged, "bills") == checkpoints[-1]


def test_merge_that_brought_a_finished_reading_back_is_seen_through() -> None:
    """As version 2 wrote states, and Meltano merged them."""
    done = "2026-01-31T11:59:59+00:00"
    for reading in (
        {"pass": "initial", "until": done, "after": [32]},
        {"pass": "changed", "until": done, "after": [done, 32]},
    ):
        bookmark = {
            "replication_key_value": done,
            "highest": [68],
            "company": "acme",
            "version": 2,
            "reading": reading,
        }
        expected = Checkpoint(datetime.fromisoformat(done), None, (68,))
        assert read_checkpoint(bookmark, "bills") == expected


def test_empty_bookmark_starts_over() -> None:
    assert read_checkpoint({}, "bills") == Checkpoint()


def test_bookmark_written_by_hand_is_read() -> None:
    bookmark = {"replication_key_value": "2026-01-31T10:00:00Z"}
    expected = datetime(2026, 1, 31, 10, tzinfo=timezone.utc)
    assert read_checkpoint(bookmark, "bills") == Checkpoint(expected)


def test_bookmark_as_it_is_documented() -> None:
    until = datetime(2026, 1, 31, 7, 12, 45, tzinfo=timezone.utc)
    begun = until - timedelta(minutes=5)
    sync = UnfinishedSync(Pass.CHANGED, begun, until, (until.isoformat(), 4711))
    checkpoint = Checkpoint(until - timedelta(days=1), sync, (81234,))
    bookmark: dict[str, Any] = {}
    write_checkpoint(checkpoint, bookmark, "WHENMODIFIED", ORIGIN)
    assert bookmark == {
        "replication_key": "WHENMODIFIED",
        "replication_key_value": "2026-01-30T07:12:45+00:00",
        "read_whole": None,
        "highest": [81234],
        "company": "acme",
        "version": 3,
        "reading": {
            "pass": "changed",
            "begun": "2026-01-31T07:07:45+00:00",
            "until": "2026-01-31T07:12:45+00:00",
            "after": ["2026-01-31T07:12:45+00:00", 4711],
        },
    }


def test_bookmarks_of_the_first_version_are_read() -> None:
    """As it wrote them: after a sync, and half-way through one."""
    done = {
        "replication_key": "WHENMODIFIED",
        "replication_key_value": "2026-01-30T07:12:45+00:00",
        "version": 1,
    }
    reading = {"pass": "initial", "until": "2026-01-31T07:12:45+00:00", "after": [7]}
    bookmark = datetime(2026, 1, 30, 7, 12, 45, tzinfo=timezone.utc)
    assert read_checkpoint(done, "bills") == Checkpoint(bookmark)
    assert read_checkpoint({"version": 1, "reading": reading}, "bills") == Checkpoint(
        None,
        UnfinishedSync(
            Pass.INITIAL,
            bookmark + timedelta(days=1),
            bookmark + timedelta(days=1),
            (7,),
        ),
    )


def test_empty_checkpoint_leaves_nothing_to_go_on_from() -> None:
    bookmark: dict[str, Any] = {"version": 2, "reading": {"pass": "initial"}}
    write_checkpoint(Checkpoint(), bookmark, None, ORIGIN)
    assert read_checkpoint(bookmark, "bills") == Checkpoint()


def test_what_stands_beside_a_checkpoint_stays() -> None:
    beside = {"context": {"PERIOD": "June"}, "selection": {"fields": ""}, "keys": "1f"}
    bookmark: dict[str, Any] = dict(beside)
    write_checkpoint(Checkpoint(), bookmark, None, ORIGIN)
    assert bookmark | beside == bookmark


CHANGED = {"pass": "changed", "until": "2026-01-31T10:00:00Z"}


@pytest.mark.parametrize(
    "bookmark",
    [
        {"version": 4},
        {"version": 2, "highest": 7},
        {"replication_key_value": "yesterday"},
        {"replication_key_value": "2026-01-31T10:00:00"},
        {"version": 1, "reading": {"pass": "changed"}},
        {"version": 1, "reading": {"pass": "x", "until": "2026-01-31T10:00:00Z"}},
        {"version": 1, "reading": "changed"},
        {"version": 2, "reading": ["changed"]},
        {"version": 3, "reading": {"until": "2026-01-31T10:00:00Z", "after": [7]}},
        {
            "version": 2,
            "reading": {
                "pass": "changed",
                "until": "2026-01-31T10:00:00Z",
                "after": [],
            },
        },
        {
            "version": 2,
            "reading": {
                "pass": "changed",
                "until": "2026-01-31T10:00:00Z",
                "after": [None],
            },
        },
        {
            "version": 2,
            "reading": {
                "pass": "changed",
                "until": "2026-01-31T10:00:00Z",
                "after": [True],
            },
        },
        {"version": 2, "highest": []},
        {"version": 2, "rows": "many"},
        {"version": [2]},
        {"replication_key_value": 20260131},
    ],
)
def test_bookmark_that_cannot_be_read_is_refused(bookmark: dict[str, Any]) -> None:
    with pytest.raises(InvalidState, match="bills"):
        read_checkpoint(bookmark, "bills")


NAMES = st.none() | st.sampled_from(["100", "200"])


@given(NAMES, NAMES, st.sampled_from(["acme", "Acme", "other"]), st.booleans())
def test_bookmark_resumes_its_own_rows_alone(
    was: str | None, entity: str | None, company: str, is_partition: bool
) -> None:
    bookmark: dict[str, Any] = {}
    done = Checkpoint(datetime(2026, 1, 31, tzinfo=timezone.utc))
    write_checkpoint(done, bookmark, "WHENMODIFIED", Origin("acme", was))
    if is_partition:
        bookmark = {"partitions": [{"context": {"_entity_id": "100"}, **bookmark}]}
    origin = Origin(company, entity)
    if company != "other" and entity == was:
        check_bookmark(bookmark, "bills", origin, NOW)
    else:
        with pytest.raises(InvalidState, match=r"bills is of .* company acme, but"):
            check_bookmark(bookmark, "bills", origin, NOW)


def test_bookmark_without_a_company_is_anyones() -> None:
    bookmark = {"replication_key_value": "2026-01-31T10:00:00Z"}
    check_bookmark(bookmark, "bills", ORIGIN, NOW)


NAME = {"context": {"PERIOD": "June"}}


@pytest.mark.parametrize(
    "bookmark",
    [
        {"partitions": None},
        {"partitions": {}},
        {"left": {}},
        {"left": [{}]},
        {"partitions": ["June"]},
        {"partitions": [{}]},
        {"partitions": [{"context": None}]},
        {"partitions": [NAME, NAME]},
        {"partitions": [{**NAME, "version": 1, "reading": "changed"}]},
    ],
)
def test_partitions_that_cannot_be_read_are_refused(bookmark: dict[str, Any]) -> None:
    with pytest.raises(InvalidState, match="The state of bills is damaged"):
        check_bookmark(bookmark, "bills", ORIGIN, NOW)


@pytest.mark.parametrize("state", [{"bookmarks": None}, {"bookmarks": []}])
def test_bookmarks_that_are_no_object_are_refused(state: dict[str, Any]) -> None:
    with pytest.raises(InvalidState, match="The state is damaged"):
        check_state(state)


@pytest.mark.parametrize(
    "state", [{"type": "STATE", "value": {"bookmarks": {}}}, {"bookmark": {}}]
)
def test_what_holds_no_bookmarks_is_refused(state: dict[str, Any]) -> None:
    with pytest.raises(InvalidState, match="not the message itself"):
        check_state(state)


@pytest.mark.parametrize("state", [{}, {"currently_syncing": None}])
def test_state_of_a_run_that_wrote_no_bookmark_is_taken(state: dict[str, Any]) -> None:
    check_state(state)


@pytest.mark.parametrize("bookmark", [None, "2026-01-31", ["2026-01-31"], 7])
def test_bookmark_that_is_no_object_is_refused(bookmark: object) -> None:
    with pytest.raises(InvalidState, match="The state of bills is damaged"):
        check_state({"bookmarks": {"bills": bookmark}})


@pytest.mark.parametrize(
    "bookmark",
    [
        {"replication_key_value": "2099-01-01T00:00:00Z"},
        {"reading": {"pass": "initial", "until": "2099-01-01T00:00:00Z", "after": [7]}},
        {"partitions": [{**NAME, "replication_key_value": "2099-01-01T00:00:00Z"}]},
    ],
)
def test_bookmark_of_the_future_is_refused(bookmark: dict[str, Any]) -> None:
    says = re.escape(f"and it is {NOW.isoformat(timespec='seconds')})")
    with pytest.raises(InvalidState, match=rf"from the future \(2099-01-01.*{says}"):
        check_bookmark(bookmark, "bills", ORIGIN, NOW, timedelta(days=1))


def test_bookmark_of_a_clock_that_is_a_little_ahead_is_taken() -> None:
    bookmark = {"replication_key_value": (NOW + timedelta(hours=23)).isoformat()}
    check_bookmark(bookmark, "bills", ORIGIN, NOW, timedelta(days=1))
