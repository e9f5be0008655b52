"""RECORD messages, a page at a time.

Knows Singer's message and nothing of where records come from. A message for every
record, with a clock and a flush each, costs more than all else that a tap does.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec


class _RecordMessage(
    msgspec.Struct, tag_field="type", tag="RECORD", omit_defaults=True, kw_only=True
):
    """As the SDK's `RecordMessage`, encoded without a dictionary of its own."""

    stream: str
    record: dict[str, Any]
    version: int | None = None
    time_extracted: datetime


_ENCODER = msgspec.json.Encoder(decimal_format="number")


def record_lines(
    stream: str,
    records: Iterable[dict[str, Any]],
    *,
    version: int | None,
    time_extracted: datetime,
) -> bytes:
    """The messages of a page, each a line; decimals are exact JSON numbers."""
    return _ENCODER.encode_lines(
        [
            _RecordMessage(
                stream=stream,
                record=record,
                version=version,
                time_extracted=time_extracted,
            )
            for record in records
        ]
    )
