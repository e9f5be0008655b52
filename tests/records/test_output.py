"""Pages leave as the SDK would write them, record for record; or as files of a batch."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from singer_sdk.helpers._batch import (
    BaseBatchFileEncoding,
    BatchConfig,
    StorageTarget,
)

from intacct_sandbox import Company, ManualClock
from tap_sage_intacct.catalog.schema import DELETED_AT as DELETED
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.records.bad_values import BadValues, InvalidRecord
from tap_sage_intacct.records.parquet import ParquetBatcher
from tap_sage_intacct.streams import IntacctStream
from tests.loading import Loader, Run, parse

MakeLoader = Callable[..., Loader]
SETTINGS: tuple[dict[str, Any], ...] = (
    {"page_size": 150},
    {"page_size": 150, "include_deletes": True},
    {"entities": "all"},
    {"custom_reports": [{"name": "Vendor list", "primary_keys": ["VENDORID"]}]},
)


def timeless(run: Run) -> list[dict[str, Any]]:
    kept = [dict(message) for message in run.messages]
    for message in kept:
        message.pop("time_extracted", None)
    return kept


def in_order(run: Run) -> list[dict[str, Any]]:
    """Balances come from a result set, whose order is another each time."""
    return sorted(timeless(run), key=lambda m: str(m) if is_balance(m) else m["type"])


def is_balance(message: dict[str, Any]) -> bool:
    return bool(message.get("record", {}).get("_balance_key"))


def streams_of(loader: Loader) -> dict[str, Any]:
    reports = loader.settings.get("custom_reports", [])
    chosen = ["vendor_list"] if reports else ["bills", "gl_accounts", "departments"]
    chosen += [] if reports else ["gl_account_balances", "gl_journal_entry_lines"]
    return loader.catalog(chosen)


@pytest.mark.parametrize("settings", SETTINGS)
def test_pages_are_what_the_sdk_would_write(
    loader: MakeLoader, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any]
) -> None:
    """Fails if an SDK of another version makes more of a record than this tap does."""
    catalog = streams_of(loader(**settings))
    by_page = loader(**settings).run(catalog=catalog)
    monkeypatch.setattr(IntacctStream, "_passes_through", False)
    one_by_one = loader(**settings).run(catalog=catalog)
    assert by_page.counts.total() > 10
    assert in_order(by_page) == in_order(one_by_one)


def test_a_record_bears_the_time_of_its_page(loader: MakeLoader) -> None:
    run = loader(page_size=150).run("gl_journal_entry_lines")
    stamps = [m["time_extracted"] for m in run.messages if m["type"] == "RECORD"]
    assert len(set(stamps)) == 4
    assert all(stamp.endswith(("Z", "+00:00")) for stamp in stamps)


@pytest.mark.parametrize(
    "settings",
    [
        {"stream_maps": {"departments": {"TITLE": "TITLE.upper()"}}},
        {"flattening_enabled": True, "flattening_max_depth": 1},
    ],
)
def test_maps_and_flattening_see_each_record(
    loader: MakeLoader, settings: dict[str, Any]
) -> None:
    plain = loader().run("departments")
    mapped = loader(**settings).run("departments")
    titles = [record["TITLE"] for record in plain.records("departments")]
    if "stream_maps" in settings:
        titles = [title.upper() for title in titles]
    assert [record["TITLE"] for record in mapped.records("departments")] == titles


def batched(loader: MakeLoader, folder: Path, form: str, **settings: Any) -> Loader:
    return loader(
        batch_config={
            "encoding": {"format": form, "compression": "gzip"},
            "storage": {"root": folder.as_uri()},
            "batch_size": 170,
        },
        **settings,
    )


def files_of(message: dict[str, Any]) -> list[Path]:
    return [Path(urlsplit(url).path) for url in message["manifest"]]


def records_in(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [record for file in files_of(message) for record in read_file(file)]


def read_file(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        rows: list[dict[str, Any]] = pq.read_table(file).to_pylist()
        return rows
    with gzip.open(file, "rt", encoding="utf-8") as lines:
        return [parse(line) for line in lines]


def as_column(record: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """A record as a row of columns, which has no place for what is left out."""
    return {
        name: as_cell(record.get(name), definition.get("format"))
        for name, definition in schema["properties"].items()
    }


def as_cell(value: Any, form: str | None) -> Any:
    if value is None or form is None:
        return value
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return moment.date() if form == "date" else moment


def batches_of(run: Run, stream: str) -> list[dict[str, Any]]:
    return [m for m in run.messages if m["type"] == "BATCH" and m["stream"] == stream]


def schema_of(run: Run, stream: str) -> dict[str, Any]:
    schemas: list[dict[str, Any]] = [
        m["schema"]
        for m in run.messages
        if m["type"] == "SCHEMA" and m["stream"] == stream
    ]
    return schemas[0]


STREAMS = ["gl_journal_entry_lines", "bills", "departments"]
FORMATS = ["jsonl", "parquet"]


@pytest.mark.parametrize("form", FORMATS)
def test_batches_hold_what_records_would(
    loader: MakeLoader, tmp_path: Path, form: str
) -> None:
    plain = loader(page_size=100).run(*STREAMS)
    run = batched(loader, tmp_path, form, page_size=100).run(*STREAMS)
    assert not run.counts
    for stream in STREAMS:
        found = [
            record
            for message in batches_of(run, stream)
            for record in records_in(message)
        ]
        expected = plain.records(stream)
        if form == "parquet":
            schema = schema_of(run, stream)
            expected = [as_column(record, schema) for record in expected]
        assert found == expected


def test_every_parquet_file_of_a_stream_has_the_same_typed_columns(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    """Also one that holds a deletion alone, which is a key and little else."""
    target = batched(loader, tmp_path, "parquet", page_size=100, include_deletes=True)
    first = target.run("bills", "gl_journal_entry_lines")
    clock.advance(3600)
    gone = int(str(next(company.truth("APBILL"))["RECORDNO"]))
    company.delete("APBILL", gone)
    clock.advance(3600)
    second = target.run("bills")
    (deletion,) = [
        row
        for message in batches_of(second, "bills")
        for row in records_in(message)
        if row["_sdc_deleted_at"] is not None
    ]
    assert deletion["RECORDNO"] == gone
    assert {v for k, v in deletion.items() if k not in {"RECORDNO", DELETED}} == {None}
    for stream in ("bills", "gl_journal_entry_lines"):
        messages = [*batches_of(first, stream), *batches_of(second, stream)]
        shapes = [pq.read_schema(f) for m in messages for f in files_of(m)]
        assert len(shapes) > 1
        assert all(shape.equals(shapes[0]) for shape in shapes)
    assert shapes[0].field("AMOUNT").type == pa.decimal128(38, 18)
    assert shapes[0].field("WHENMODIFIED").type == pa.timestamp("us", tz="UTC")


def test_deselected_fields_are_no_columns(loader: MakeLoader, tmp_path: Path) -> None:
    target = batched(loader, tmp_path, "parquet")
    catalog = target.catalog(["departments"])
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"] == ["properties", "TITLE"]:
                metadata["metadata"]["selected"] = False
    run = target.run(catalog=catalog)
    assert "TITLE" not in records_in(batches_of(run, "departments")[0])[0]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (ValueType.DECIMAL, Decimal("0.1234567890123456789")),
        (ValueType.DECIMAL, Decimal(123456789012345678901)),
        (ValueType.INTEGER, Decimal("1.5")),
        (ValueType.INTEGER, 2**63),
        (ValueType.DATE, "soon"),
    ],
)
def test_parquet_refuses_what_it_cannot_hold_exactly(
    tmp_path: Path, kind: ValueType, value: Any
) -> None:
    batcher = ParquetBatcher(
        "tap", "bills", config(tmp_path), {"RATE": kind}, BadValues("bills")
    )
    with pytest.raises(
        InvalidRecord, match=r"bills\.RATE: a value does not fit"
    ) as told:
        list(batcher.get_batches([{"RATE": value}]))
    assert str(value) not in str(told.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "value", ["0.123456789012345678", "-12345678901234567890", "1E+3", "0.10"]
)
def test_parquet_keeps_every_digit(tmp_path: Path, value: str) -> None:
    kinds = {"RATE": ValueType.DECIMAL}
    batcher = ParquetBatcher(
        "tap", "bills", config(tmp_path), kinds, BadValues("bills")
    )
    ((url,),) = batcher.get_batches([{"RATE": Decimal(value)}, {"RATE": None}])
    rows = read_file(Path(urlsplit(url).path))
    assert [row["RATE"] for row in rows] == [Decimal(value), None]


@pytest.mark.parametrize(
    ("compression", "codec"),
    [("gzip", "GZIP"), ("none", "UNCOMPRESSED"), (None, "SNAPPY")],
)
def test_parquet_is_compressed_as_asked(
    tmp_path: Path, compression: str | None, codec: str
) -> None:
    kinds = {"NAME": ValueType.TEXT}
    batcher = ParquetBatcher(
        "tap", "bills", config(tmp_path, compression), kinds, BadValues("bills")
    )
    ((url,),) = batcher.get_batches([{"NAME": "a"}])
    metadata = pq.read_metadata(urlsplit(url).path)
    assert metadata.row_group(0).column(0).compression == codec


def config(folder: Path, compression: str | None = None) -> BatchConfig:
    return BatchConfig(
        encoding=BaseBatchFileEncoding(format="parquet", compression=compression),
        storage=StorageTarget(root=folder.as_uri()),
    )


def test_parquet_without_its_extra_says_what_to_install(
    loader: MakeLoader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "tap_sage_intacct.records.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidSettings, match=r"install tap-sage-intacct\[parquet\]"):
        batched(loader, tmp_path, "parquet").run("departments")


@pytest.mark.long
@pytest.mark.parametrize("form", FORMATS)
def test_no_state_runs_ahead_of_its_batch(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path, form: str
) -> None:
    """A target that dies after any message resumes from the last STATE it had."""
    target = batched(loader, tmp_path, form, page_size=100)
    run = target.run("gl_journal_entry_lines")
    assert len(batches_of(run, "gl_journal_entry_lines")) == 4
    for died in range(1, len(run.messages) + 1):
        seen = run.messages[:died]
        taken = {
            record["RECORDNO"]
            for message in seen
            if message["type"] == "BATCH"
            for record in records_in(message)
        }
        states = [m["value"] for m in seen if m["type"] == "STATE"]
        state = json.loads(json.dumps(states[-1])) if states else None
        resumed = loader(page_size=100)
        resumed.state = state
        clock.advance(1)
        rest = resumed.run("gl_journal_entry_lines")
        taken |= {r["RECORDNO"] for r in rest.records("gl_journal_entry_lines")}
        assert len(taken) == company.count("GLENTRY")
