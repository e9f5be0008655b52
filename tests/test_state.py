"""Checkpoints: there and back again, small, and refused when they cannot be read."""

import json
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.state import (
    Checkpoint,
    InvalidState,
    Origin,
    Pass,
    Progress,
    check_bookmark,
    read_checkpoint,
    write_checkpoint,
)

ORIGIN = Origin("acme")
INSTANTS = st.datetimes(
    datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(timezone.utc)
).map(lambda instant: instant.replace(microsecond=0))
POSITIONS = st.lists(
    st.integers() | INSTANTS.map(datetime.isoformat), min_size=1, max_size=3
).map(tuple)
CHECKPOINTS = st.builds(
    Checkpoint,
    st.none() | INSTANTS,
    st.none()
    | st.builds(
        Progress,
        st.sampled_from(Pass),
        INSTANTS,
        st.none() | POSITIONS,
        st.none() | st.integers(0, 10**9),
    ),
    st.none() | POSITIONS,
)


@given(CHECKPOINTS)
def test_checkpoint_survives_a_state_file(checkpoint: Checkpoint) -> None:
    bookmark = {"starting_replication_value": "left by another version"}
    write_checkpoint(checkpoint, bookmark, "WHENMODIFIED", ORIGIN)
    text = json.dumps(bookmark)
    assert read_checkpoint(json.loads(text), "bills") == checkpoint
    assert len(text) < 2000
    assert "starting_replication_value" not in bookmark


def test_empty_bookmark_starts_over() -> None:
    assert read_checkpoint({}, "bills") == Checkpoint()


def test_bookmark_written_by_hand_is_read() -> None:
    bookmark = {"replication_key_value": "2026-01-31T10:00:00Z"}
    expected = datetime(2026, 1, 31, 10, tzinfo=timezone.utc)
    assert read_checkpoint(bookmark, "bills") == Checkpoint(expected)


def test_bookmark_as_it_is_documented() -> None:
    until = datetime(2026, 1, 31, 7, 12, 45, tzinfo=timezone.utc)
    progress = Progress(Pass.CHANGED, until, (until.isoformat(), 4711))
    checkpoint = Checkpoint(until - timedelta(days=1), progress, (81234,))
    bookmark: dict[str, object] = {}
    write_checkpoint(checkpoint, bookmark, "WHENMODIFIED", ORIGIN)
    assert bookmark == {
        "replication_key": "WHENMODIFIED",
        "replication_key_value": "2026-01-30T07:12:45+00:00",
        "highest": [81234],
        "company": "acme",
        "version": 2,
        "reading": {
            "pass": "changed",
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
        None, Progress(Pass.INITIAL, bookmark + timedelta(days=1), (7,))
    )


def test_empty_checkpoint_clears_the_bookmark() -> None:
    bookmark: dict[str, object] = {"version": 2, "reading": {"pass": "initial"}}
    write_checkpoint(Checkpoint(), bookmark, None, ORIGIN)
    assert bookmark == {}


@pytest.mark.parametrize(
    "bookmark",
    [
        {"version": 3},
        {"version": 2, "highest": 7},
        {"replication_key_value": "yesterday"},
        {"replication_key_value": "2026-01-31T10:00:00"},
        {"version": 1, "reading": {"pass": "changed"}},
        {"version": 1, "reading": {"pass": "x", "until": "2026-01-31T10:00:00Z"}},
        {"version": 1, "reading": "changed"},
    ],
)
def test_bookmark_that_cannot_be_read_is_refused(bookmark: dict[str, object]) -> None:
    with pytest.raises(InvalidState, match="bills"):
        read_checkpoint(bookmark, "bills")


NAMES = st.none() | st.sampled_from(["100", "200"])


@given(NAMES, NAMES, st.sampled_from(["acme", "Acme", "other"]), st.booleans())
def test_bookmark_resumes_its_own_rows_alone(
    was: str | None, entity: str | None, company: str, is_partition: bool
) -> None:
    bookmark: dict[str, object] = {}
    done = Checkpoint(datetime(2026, 1, 31, tzinfo=timezone.utc))
    write_checkpoint(done, bookmark, "WHENMODIFIED", Origin("acme", was))
    if is_partition:
        bookmark = {"partitions": [{"context": {"_entity_id": "100"}, **bookmark}]}
    origin = Origin(company, entity)
    if company != "other" and entity == was:
        check_bookmark(bookmark, "bills", origin)
    else:
        with pytest.raises(InvalidState, match=r"bills is of .* company acme, but"):
            check_bookmark(bookmark, "bills", origin)


def test_bookmark_without_a_company_is_anyones() -> None:
    check_bookmark({"replication_key_value": "2026-01-31T10:00:00Z"}, "bills", ORIGIN)
