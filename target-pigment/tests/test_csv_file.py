from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from target_pigment.csv_file import PushLimits, Spool


def contents(spool: Spool, limits: PushLimits) -> list[bytes]:
    found = []
    for file in spool.files(b"H\n", limits):
        data = file.path.read_bytes()
        assert len(data) == file.size
        assert data.count(b"\n") == file.rows + 1
        found.append(data)
    return found


def test_the_last_row_of_a_key_stays_where_it_came_last(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite")
    for line, key in ((b"a1\n", "a"), (b"b1\n", "b"), (b"a2\n", "a"), (b"x\n", None)):
        spool.add(line, key)
    assert contents(spool, PushLimits()) == [b"H\nb1\na2\nx\n"]
    spool.close()


def test_every_part_has_the_header_and_holds_the_limits(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite")
    for number in range(5):
        spool.add(f"{number}\n".encode())
    assert contents(spool, PushLimits(rows=2)) == [
        b"H\n0\n1\n",
        b"H\n2\n3\n",
        b"H\n4\n",
    ]
    assert len(contents(spool, PushLimits(bytes=6))) == 3
    assert len(contents(spool, PushLimits(bytes=1))) == 5
    spool.close()
    assert list(tmp_path.iterdir()) == []


def test_an_empty_spool_is_a_file_with_a_header(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite")
    assert contents(spool, PushLimits(rows=1)) == [b"H\n"]
    spool.close()


def test_other_versions_are_forgotten(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "s.sqlite")
    spool.add(b"old\n", version=1)
    spool.add(b"new\n", version=2)
    spool.keep_version(2)
    assert list(spool.lines()) == [b"new\n"]
    spool.close()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_deduplication_is_that_of_a_dict(rows: list[tuple[str, int]]) -> None:
    spool = Spool(Path(":memory:"))
    for key, value in rows:
        spool.add(f"{key}{value}\n".encode(), key)
    found = sorted(spool.lines())
    expected = sorted(f"{k}{v}\n".encode() for k, v in dict(rows).items())
    assert found == expected
    assert spool.rows == len(expected)
    assert spool.size == sum(map(len, expected))
    spool.close()
