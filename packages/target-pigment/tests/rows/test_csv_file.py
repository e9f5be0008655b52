from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_pigment.rows.csv_file import Key, PushLimits, Spool, SpoolDatabase


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(SpoolDatabase(tmp_path)) as database:
        # One of several in the same file.
        database.add_spool().add(b"other\n", Key("a"))
        yield database.add_spool()


def contents(spool: Spool, limits: PushLimits) -> list[bytes]:
    found = []
    for file in spool.files(b"H\n", limits):
        data = file.path.read_bytes()
        assert len(data) == file.size
        assert data.count(b"\n") == file.rows + 1
        found.append(data)
    return found


def test_the_last_row_of_a_key_stays_where_it_came_last(spool: Spool) -> None:
    for line, key in ((b"a1\n", "a"), (b"b1\n", "b"), (b"a2\n", "a"), (b"x\n", None)):
        spool.add(line, Key(key) if key else None)
    assert contents(spool, PushLimits()) == [b"H\nb1\na2\nx\n"]


def test_every_part_has_the_header_and_holds_the_limits(
    spool: Spool, tmp_path: Path
) -> None:
    for number in range(5):
        spool.add(f"{number}\n".encode())
    assert contents(spool, PushLimits(rows=2)) == [
        b"H\n0\n1\n",
        b"H\n2\n3\n",
        b"H\n4\n",
    ]
    assert len(contents(spool, PushLimits(bytes=6))) == 3
    assert len(contents(spool, PushLimits(bytes=1))) == 5
    assert [path.name for path in tmp_path.iterdir()] == ["rows.sqlite"]


def test_an_empty_spool_is_a_file_with_a_header(spool: Spool) -> None:
    assert contents(spool, PushLimits(rows=1)) == [b"H\n"]


def test_other_versions_are_forgotten(spool: Spool) -> None:
    spool.add(b"old\n", version=1)
    spool.add(b"new\n", version=2)
    spool.keep_version(2)
    assert list(spool.lines()) == [b"new\n"]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_deduplication_is_that_of_a_dict(rows: list[tuple[str, int]]) -> None:
    with TemporaryDirectory() as path, closing(SpoolDatabase(Path(path))) as database:
        spool = database.add_spool()
        for key, value in rows:
            spool.add(f"{key}{value}\n".encode(), Key(key))
        found = sorted(spool.lines())
        assert spool.rows == len(found)
        assert spool.size == sum(map(len, found))
    assert found == sorted(f"{k}{v}\n".encode() for k, v in dict(rows).items())


def test_keys_that_differ_only_outside_of_pigment_collapse(spool: Spool) -> None:
    assert spool.add(b"1\n", Key("1", '"1 "'))
    assert spool.add(b"2\n", Key("1", '"1 "'))
    assert not spool.add(b"3\n", Key("1"))
    spool.remove(Key("1"))
    assert list(spool.lines()) == [b"2\n"]
    spool.remove(Key("1", '"1 "'))
    assert list(spool.lines()) == []
