"""A reader of the code follows a row from its stream to the parser in a few steps."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest

import tap_sage_intacct
from tap_sage_intacct.intacct.rows.scanner import scan
from tap_sage_intacct.intacct.xml.json_rows import read_json_rows
from tests.loading import Loader

PACKAGE = Path(tap_sage_intacct.__file__).parent
MOST_FRAMES = 14
PARSERS: Mapping[CodeType, str] = {
    scan.__code__: "xml",
    read_json_rows.__code__: "json",
}

Way = list[str]


@contextmanager
def ways_to_the_parsers() -> Iterator[dict[str, Way]]:
    """The longest way of rows between a stream's method and each parser, without the two."""
    longest: dict[str, Way] = {}

    def look(frame: FrameType, event: str, answer: Any) -> None:
        parser = PARSERS.get(frame.f_code)
        # A count asks for a row too, of keys alone.
        is_of_rows = parser and event == "return" and answer and answer.rows
        if parser and is_of_rows and "WHENMODIFIED" in answer.rows[0]:
            way = our_frames_above(frame)
            longest[parser] = max(longest.get(parser, []), way, key=len)

    sys.setprofile(look)
    try:
        yield longest
    finally:
        sys.setprofile(None)


def our_frames_above(parser: FrameType) -> Way:
    """Those below the method of a stream that the SDK called, innermost first."""
    way: Way = []
    frame = parser.f_back
    while frame is not None:
        if is_ours(frame):
            path = Path(frame.f_code.co_filename).relative_to(PACKAGE)
            if path.parts[0] == "streams" and not is_ours(frame.f_back):
                return way
            way.append(f"{path}:{frame.f_lineno} {frame.f_code.co_name}")
        frame = frame.f_back
    raise AssertionError("no method of a stream called the parser")


def is_ours(frame: FrameType | None) -> bool:
    return frame is not None and PACKAGE in Path(frame.f_code.co_filename).parents


@pytest.mark.parametrize("response_format", ["xml", "json"])
@pytest.mark.parametrize(
    "stream", ["vendors", "gl_details", "contract_revenue_schedule_entries"]
)
def test_few_frames_lie_between_a_stream_and_the_parser(
    loader: Callable[..., Loader], stream: str, response_format: str
) -> None:
    target = loader(page_size=10, response_format=response_format, max_connections=1)
    catalog = target.catalog([stream])
    with ways_to_the_parsers() as ways:
        target.run(stream, catalog=catalog)
    assert response_format in ways
    for parser, way in ways.items():
        assert len(way) <= MOST_FRAMES, f"{parser}:\n" + "\n".join(way)
