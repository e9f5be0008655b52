"""The key store: what is remembered, what a proof forgets, what survives."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tap_sage_intacct.reading.emitted import EmittedRows
from tap_sage_intacct.reading.key_store import (
    InvalidKeyStore,
    KeyStore,
    SetName,
    StoredKey,
)

PROOF = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


def name(
    stream: str, owner: str = "one", condition: str = "", period: str = ""
) -> SetName:
    return SetName(owner, ("company", stream), period, condition)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[KeyStore]:
    with closing(KeyStore(tmp_path / "keys.sqlite")) as found:
        yield found


def test_keys_are_found_by_all_their_names(store: KeyStore) -> None:
    keys = store.key_set(name("vendors"))
    keys.add([StoredKey("1", "V-1"), StoredKey("2", "V-2"), StoredKey("3", None, "9")])
    assert list(keys.with_business_id(["V-2", "V-9"])) == ["2"]
    assert list(keys.with_parent(["9"])) == ["3"]
    assert list(keys.parents()) == ["9"]


def test_business_ids_that_several_share(store: KeyStore) -> None:
    keys = store.key_set(name("bills"))
    keys.add([StoredKey("1", "D-1"), StoredKey("2", "D-1"), StoredKey("3", "D-2")])
    assert list(keys.sharing_business_id(["D-1", "D-2"])) == ["1", "2"]


def test_key_sets_know_nothing_of_one_another(store: KeyStore) -> None:
    one, other = store.key_set(name("bills")), store.key_set(name("bill"))
    one.add([StoredKey("1", "V-1")])
    one.complete()
    assert not other.is_complete
    assert list(other.with_business_id(["V-1"])) == []


def test_scan_tells_what_did_not_come_by(store: KeyStore) -> None:
    keys = store.key_set(name("bills"))
    keys.add([StoredKey("1"), StoredKey("2")])
    keys.begin_scan()
    keys.add([StoredKey("2"), StoredKey("3")])
    assert list(keys.unseen()) == ["1"]


def test_scan_goes_on_in_another_run(tmp_path: Path) -> None:
    first = KeyStore(tmp_path / "keys.sqlite")
    keys = first.key_set(name("bills"))
    keys.add([StoredKey("1")])
    keys.begin_load()
    keys.add([StoredKey("2")])
    first.close()
    with closing(KeyStore(tmp_path / "keys.sqlite")) as second:
        again = second.key_set(name("bills"))
        assert again.is_loading
        again.add([StoredKey("3")])
        assert list(again.unseen()) == ["1"]


def test_only_the_bookmark_of_the_very_sync_proves_a_deletion(store: KeyStore) -> None:
    keys = store.key_set(name("bills"))
    keys.add([StoredKey("1"), StoredKey("2")])
    keys.mark_deleted(["1"], PROOF)
    for other in (PROOF - timedelta(seconds=1), PROOF + timedelta(seconds=1)):
        keys.begin_sync(other)
        assert list(keys.marked()) == ["1"]
    keys.begin_sync(PROOF.astimezone(timezone(timedelta(hours=-8))))
    assert list(keys.marked()) == []
    keys.begin_scan()
    assert list(keys.unseen()) == ["2"]


def test_keys_are_those_of_the_target_unless_its_state_is_an_older_one(
    store: KeyStore,
) -> None:
    keys = store.key_set(name("bills"))
    assert not keys.begin_sync(PROOF)
    keys.complete()
    assert keys.begin_sync(PROOF)
    keys.will_end_with(PROOF + timedelta(hours=1))
    assert keys.begin_sync(PROOF), "that sync died"
    keys.will_end_with(PROOF + timedelta(hours=1))
    assert keys.begin_sync(PROOF + timedelta(hours=1))
    assert not keys.begin_sync(PROOF), "the state is an older one"
    assert not keys.begin_sync(PROOF + timedelta(hours=2)), "it knows another store"


def test_filter_that_changes_back_knows_what_came_since(store: KeyStore) -> None:
    store.key_set(name("bills")).add([StoredKey("1")])
    store.key_set(name("bills", "one", "B")).add([StoredKey("2")])
    again = store.key_set(name("bills"))
    assert sorted(again.among(["1", "2"])) == ["1", "2"]
    assert not again.is_complete


def test_record_that_comes_by_again_is_not_deleted(store: KeyStore) -> None:
    keys = store.key_set(name("bills"))
    keys.add([StoredKey("1")])
    keys.mark_deleted(["1"], PROOF)
    keys.add([StoredKey("1")])
    assert list(keys.marked()) == []


def test_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    store = KeyStore(path)
    store._connection.execute("PRAGMA user_version = 9")  # noqa: SLF001 - as if by a later tap
    store.close()
    with pytest.raises(InvalidKeyStore, match="later version"):
        KeyStore(path)


def test_each_state_has_keys_of_its_own(store: KeyStore) -> None:
    prod, dev = store.key_set(name("bills")), store.key_set(name("bills", "two"))
    for keys in (prod, dev):
        keys.add([StoredKey("1")])
    prod.mark_deleted(["1"], PROOF)
    prod.begin_sync(PROOF)
    assert list(prod.among(["1"])) == []
    assert list(dev.among(["1"])) == ["1"]


@pytest.mark.parametrize(
    ("other", "is_suspect"),
    [
        (name("bills", "two"), True),
        (name("bills", "one", "STATE = 'Paid'"), True),
        (name("bills", "two", "STATE = 'Paid'"), False),
        (name("bills", "one", "PERIOD = 'June'", "June"), False),
        (name("vendors", "one"), False),
    ],
    ids=[
        "another-state",
        "another-filter",
        "another-state-and-filter",
        "another-period",
        "another-stream",
    ],
)
def test_new_set_suspects_what_the_target_may_hold(
    store: KeyStore, other: SetName, *, is_suspect: bool
) -> None:
    earlier = store.key_set(name("bills"))
    earlier.add([StoredKey("1", "B-1"), StoredKey("2")])
    keys = store.key_set(other)
    keys.begin_load()
    keys.add([StoredKey("2")])
    assert list(keys.unseen()) == (["1"] if is_suspect else [])
    assert not keys.is_complete


def test_sets_that_nobody_used_for_long_go(store: KeyStore) -> None:
    store.key_set(name("bills")).add([StoredKey("1")])
    store.key_set(name("bills", "two")).add([StoredKey("2")])
    store._connection.execute(  # noqa: SLF001 - as if days had passed
        "UPDATE key_sets SET used = date('now', '-46 days') WHERE owner = 'two'"
    )
    store.key_set(name("vendors"))
    assert store.find(name("bills")) is not None
    assert store.find(name("bills", "two")) is None
    rows = store._connection.execute("SELECT key FROM keys").fetchall()  # noqa: SLF001
    assert rows == [("1",)]


def made_by_version_1(path: Path) -> None:
    """A file as the first version made it, with one key of bills."""
    with closing(sqlite3.connect(path)) as file:
        file.executescript(
            "CREATE TABLE key_sets (id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL, "
            "is_loading INTEGER NOT NULL DEFAULT 0, "
            "is_complete INTEGER NOT NULL DEFAULT 0, scan INTEGER NOT NULL DEFAULT 0, "
            "bookmark TEXT NOT NULL DEFAULT '');"
            "CREATE TABLE keys (key_set INTEGER NOT NULL, key TEXT NOT NULL, "
            "business_id TEXT, parent TEXT, scan INTEGER NOT NULL, deleted TEXT, "
            "PRIMARY KEY (key_set, key)) WITHOUT ROWID;"
            "INSERT INTO keys VALUES (1, '1', NULL, NULL, 0, NULL);"
            "PRAGMA user_version = 1;"
        )
        file.execute(
            "INSERT INTO key_sets (id, name, is_complete) VALUES (1, ?, 1)",
            (name("bills").rows,),
        )
        file.commit()


def test_store_of_the_first_version_goes_to_the_first_state_that_asks(
    tmp_path: Path,
) -> None:
    path = tmp_path / "keys.sqlite"
    made_by_version_1(path)
    with closing(KeyStore(path)) as store:
        keys = store.key_set(replace(name("bills"), takes_unowned=True))
        assert keys.is_complete
        assert list(keys.among(["1"])) == ["1"]
        other = store.key_set(replace(name("bills", "two"), takes_unowned=True))
        assert not other.is_complete
    with closing(KeyStore(path)) as store:
        assert store.find(name("bills")) is not None


def test_first_load_suspects_what_the_first_version_stored(tmp_path: Path) -> None:
    path = tmp_path / "keys.sqlite"
    made_by_version_1(path)
    with closing(KeyStore(path)) as store:
        keys = store.key_set(name("bills"))
        keys.begin_load()
        assert list(keys.unseen()) == ["1"]


ROWS = st.lists(st.fixed_dictionaries({"A": st.sampled_from("xyz"), "B": st.text()}))


@given(ROWS, ROWS, ROWS)
def test_emitted_rows_are_not_new_again(
    first: list[dict[str, str]],
    asked: list[dict[str, str]],
    later: list[dict[str, str]],
) -> None:
    emitted = EmittedRows()
    emitted.add(first)
    new = [row for row in asked if row not in first]
    assert emitted.new(asked) == new
    emitted.add(later)
    turned = [{"B": row["B"], "A": row["A"]} for row in (*asked, *later, *first)]
    assert emitted.new(turned) == []


def test_rows_that_nothing_meets_again_are_all_new() -> None:
    emitted = EmittedRows(remembers=False)
    emitted.add([{"A": "1"}])
    assert emitted.new([{"A": "1"}]) == [{"A": "1"}]
