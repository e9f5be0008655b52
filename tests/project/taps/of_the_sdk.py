"""A tap of whatever SDK is installed: `of_the_sdk.py ROWS [DIES_AT SIGNAL]`."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

from singer_sdk import Stream, Tap
from singer_sdk import typing as th

ROWS, DIES_AT, SIGNAL = (*map(int, sys.argv[1:]), 0, 0)[:3]


class Numbers(Stream):
    """Rows of one number; ends itself after one of them was written."""

    name = "s"
    schema = th.PropertiesList(th.Property("id", th.IntegerType)).to_dict()
    primary_keys = ("id",)

    def get_records(self, context: Any) -> Iterable[dict[str, Any]]:
        del context
        for number in range(1, ROWS + 1):
            yield {"id": number}
            if number == DIES_AT:
                os.kill(os.getpid(), SIGNAL)


class TapNumbers(Tap):
    """The tap."""

    name = "tap-numbers"
    config_jsonschema = th.PropertiesList().to_dict()

    def discover_streams(self) -> list[Stream]:
        return [Numbers(self)]


if __name__ == "__main__":
    TapNumbers().sync_all()
