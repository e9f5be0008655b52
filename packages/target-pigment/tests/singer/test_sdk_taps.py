"""The model of taps of the SDK, held to taps of the SDK that is installed."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pytest
from singer_sdk import Stream, Tap
from singer_sdk import typing as th
from typing_extensions import override

from tests.sdk_model import Message, SdkTap, Table

INTERVAL = 7


class ModelledStream(Stream):
    """Reads what a table says."""

    schema = th.PropertiesList(
        th.Property("id", th.IntegerType),
        th.Property("part", th.IntegerType),
        th.Property("parent", th.IntegerType),
    ).to_dict()
    primary_keys = ("id",)
    STATE_MSG_FREQUENCY = INTERVAL
    rows = 0
    asks_for_start = False

    @override
    def get_records(self, context: Mapping[str, Any] | None) -> Iterable[Any]:
        asks = self.asks_for_start or self.replication_key
        first = self.get_starting_replication_key_value(context) if asks else 1
        return ({"id": n} for n in range(first or 1, self.rows + 1))

    @override
    def get_child_context(self, record: Any, context: Any) -> dict[str, Any]:
        del context
        return {"parent": record["id"]}


def stream_classes(
    table: Table, parent: type[Stream] | None = None
) -> Iterator[type[ModelledStream]]:
    """A table's stream, and those of its children."""
    attributes: dict[str, Any] = {"name": table.name, "rows": table.rows}
    attributes["asks_for_start"] = table.asks_for_start
    attributes["parent_stream_type"] = parent
    if table.method != "FULL":
        attributes |= {"replication_key": "id", "is_sorted": table.method == "SORTED"}
    if table.parts:
        attributes["partitions"] = [{"part": n} for n in range(table.parts)]
    if not table.has_parts_in_state:
        attributes["state_partitioning_keys"] = ()
    made = type(table.name, (ModelledStream,), attributes)
    yield made
    for child in table.children:
        yield from stream_classes(child, made)


class ModelledTap(Tap):
    name = "tap-modelled"
    config_jsonschema = th.PropertiesList().to_dict()
    tables: tuple[Table, ...] = ()

    @override
    def discover_streams(self) -> list[Stream]:
        kinds = [kind for table in self.tables for kind in stream_classes(table)]
        return [kind(self) for kind in kinds]


def written(model: SdkTap) -> list[Message]:
    """What the real tap writes, of what the model has."""
    kind = type("Kind", (ModelledTap,), {"tables": model.tables})
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        tap = kind(
            config={"emit_activate_version_messages": model.activates},
            state=dict(model.state),
        )
        tap.sync_all()
    return [_plain(json.loads(line)) for line in out.getvalue().splitlines()]


def _plain(message: Message) -> Message:
    if message["type"] == "STATE":
        text = json.dumps(message["value"])
        note = "Progress is not resumable if interrupted."
        return {
            "type": "STATE",
            "value": json.loads(text.replace(note, "Progress is lost.")),
        }
    plain = {"type": message["type"], "stream": message["stream"]}
    if "version" in message:
        plain["version"] = 1
    if message["type"] == "RECORD":
        plain["record"] = {"id": message["record"]["id"]}
    return plain


CHILD = Table("c", 9, "SORTED")
TABLES = {
    "full": (Table("s", 20), Table("t", 6)),
    "as many as the interval": (Table("s", 7),),
    "sorted": (Table("s", 20, "SORTED"), Table("t", 0)),
    "unsorted": (Table("s", 20, "UNSORTED"),),
    "partitions": (Table("s", 5, parts=3), Table("t", 5, "UNSORTED", parts=2)),
    "children": (Table("p", 3, children=(Table("c", 2), Table("d", 2, "UNSORTED"))),),
    "children of changes": (Table("p", 8, "SORTED", children=(CHILD,)),),
    "one bookmark": (
        Table("p", 3, children=(Table("c", 2, has_parts_in_state=False),)),
    ),
    "asking": (
        Table("p", 3, children=(Table("c", 2, asks_for_start=True),),
              asks_for_start=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("activates", [False, True])
@pytest.mark.parametrize("tables", TABLES.values(), ids=TABLES)
def test_taps_of_the_sdk_write_what_the_model_writes(
    tables: tuple[Table, ...], activates: bool
) -> None:
    model = SdkTap(tables, interval=INTERVAL, activates=activates)
    assert written(model) == list(model.messages())
    last = [m["value"] for m in written(model) if m["type"] == "STATE"][-1]
    again = SdkTap(tables, last, INTERVAL, activates)
    assert written(again) == list(again.messages())
