"""A classic tap: `of_singer_python.py ROWS [DIES_AT SIGNAL]`."""

from __future__ import annotations

import os
import sys

import singer  # type: ignore[import-not-found]  # only where the test runs it

ROWS, DIES_AT, SIGNAL = (*map(int, sys.argv[1:]), 0, 0)[:3]

if __name__ == "__main__":
    state = singer.set_currently_syncing({"bookmarks": {}}, "s")
    singer.write_state(state)
    schema = {"type": "object", "properties": {"id": {"type": "integer"}}}
    singer.write_schema("s", schema, ["id"])
    for number in range(1, ROWS + 1):
        singer.write_record("s", {"id": number})
        if number % 1_000 == 0:
            singer.write_state(state)
        if number == DIES_AT:
            os.kill(os.getpid(), SIGNAL)
    singer.write_state(singer.set_currently_syncing(state, None))
