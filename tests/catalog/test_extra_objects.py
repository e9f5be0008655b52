"""Any other object as a stream: keys and stamps found, rows equal to the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.errors import InvalidSettings
from tests.loading import Loader, as_json
from tests.offered import discovered

MakeLoader = Callable[..., Loader]


def entry_of(loader: Loader, stream: str) -> dict[str, Any]:
    (entry,) = (
        entry
        for entry in loader.catalog([stream])["streams"]
        if entry["stream"] == stream
    )
    found: dict[str, Any] = entry
    return found


def assert_equal(loader: Loader, stream: str, rows: list[dict[str, Any]]) -> None:
    def comparable(row: dict[str, Any]) -> list[tuple[str, Any]]:
        own = {name: as_json(value) for name, value in row.items() if name[0] != "_"}
        return sorted((name, value) for name, value in own.items() if "#" not in name)

    loaded = list(loader.tables.get(stream, {}).values())
    assert sorted(map(comparable, loaded), key=str) == sorted(
        map(comparable, rows), key=str
    )


@pytest.mark.parametrize(
    ("name", "keys", "stamp"),
    [
        ("CLASS", ["RECORDNO"], "WHENMODIFIED"),
        ("subscription_plan", ["id"], "updatedAt"),
        ("region", ["id"], "updatedAt"),
        ("Region", ["id"], "updatedAt"),
        ("AUDITHISTORY", ["ID"], "ACCESSTIME"),
        ("REPORTINGPERIOD", ["RECORDNO"], "WHENMODIFIED"),
        ("USERINFO", ["RECORDNO"], "WHENMODIFIED"),
        ("SODOCUMENT", ["RECORDNO"], "WHENMODIFIED"),
        ("apbill", ["RECORDNO"], "WHENMODIFIED"),
    ],
)
def test_object_is_loaded_by_the_key_that_its_lookup_shows(
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    name: str,
    keys: list[str],
    stamp: str,
) -> None:
    company.update("VENDOR", 1, {"NAME": "Changed, for the audit trail"})
    clock.advance(24 * 3600)
    target = loader(extra_objects=[name])
    stream = name.lower()
    entry = entry_of(target, stream)
    assert list(entry["key_properties"]) == keys
    assert entry["replication_key"] == stamp
    target.run(stream)
    definition = next(d for n, d in company.definitions.items() if n.lower() == stream)
    own = {field.id for field in definition.fields if not field.document_type}
    rows = [
        {field: value for field, value in row.items() if field in own}
        for row in company.truth(definition.name)
    ]
    assert_equal(target, stream, rows)
    clock.advance(24 * 3600)
    again = target.run(stream)
    assert again.counts[stream] == 0
    if definition.name == "AUDITHISTORY":
        return
    company.update(definition.name, int(str(rows[0][keys[0]])), {})
    clock.advance(5)
    assert target.run(stream).counts[stream] == 1


def test_keys_and_stamp_may_be_named(loader: MakeLoader) -> None:
    wanted = {
        "object": "CLASS",
        "stream_name": "classes",
        "primary_keys": ["CLASSID"],
        "replication_key": "WHENCREATED",
    }
    target = loader(extra_objects=[wanted])
    entry = entry_of(target, "classes")
    assert list(entry["key_properties"]) == ["CLASSID"]
    assert entry["replication_key"] == "WHENCREATED"
    assert target.run("classes").counts["classes"] == 8


def test_transaction_definition_brings_its_own_fields(
    company: Company, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(
        extra_objects=[
            {"object": "SODOCUMENT", "docparid": "Sales Invoice"},
            {
                "object": "SODOCUMENT",
                "docparid": "Sales Order",
                "stream_name": "orders",
            },
        ]
    )
    streams = ("sodocument_sales_invoice", "orders")
    target.run(*streams)
    for stream, kind, fields in (
        (streams[0], "Sales Invoice", {"DELIVERY_SLOT", "PENALTY"}),
        ("orders", "Sales Order", {"PRIORITY_CODE"}),
    ):
        definition = company.definitions["SODOCUMENT"].of_document(kind)
        names = {field.id for field in definition.fields}
        assert fields <= names
        rows = [
            {name: value for name, value in row.items() if name in names}
            for row in company.truth("SODOCUMENT")
            if row["DOCPARID"] == kind
        ]
        assert len(rows) == 15
        assert_equal(target, stream, rows)
    assert all(
        b"<docparid>" in call.body
        for call in sandbox.calls
        if call.object_name == "SODOCUMENT" and call.function != "readMore"
    )


def test_star_lists_what_the_company_has_and_selects_nothing(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(extra_objects=["*", {"object": "CLASS", "stream_name": "classes"}])
    found = discovered(target.settings)
    entries = {entry["stream"]: entry for entry in found["streams"]}
    titles = {entry["schema"].get("title") for entry in entries.values()}
    assert len(entries) == len(company.definitions) == len(titles)
    assert {"region", "subscription_plan", "sodocument", "classes"} <= set(entries)
    assert "class" not in entries


def test_stream_that_the_star_found_runs_from_its_catalog(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(extra_objects=["*"])
    target.run("subscription_plan")
    assert_equal(target, "subscription_plan", list(company.truth("subscription_plan")))


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ("CLAS", "did you mean class"),
        ("Regoin", "did you mean region"),
        ({"object": "CLASS", "primary_keys": ["CLASSD"]}, "did you mean CLASSID"),
        ({"object": "CLASS", "replication_key": "NAME"}, "is no timestamp"),
    ],
)
def test_wrong_choice_is_refused(loader: MakeLoader, wanted: Any, words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        discovered(loader(extra_objects=[wanted]).settings)


def test_filter_of_a_stream_that_the_star_does_not_find_is_refused(
    loader: MakeLoader,
) -> None:
    wanted = {"extra_objects": ["*"], "filters": {"clas": "NAME = 'x'"}}
    with pytest.raises(InvalidSettings, match="did you mean class"):
        discovered(loader(**wanted).settings)


def test_deletions_of_a_transaction_definition(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    orders = {
        "object": "SODOCUMENT",
        "docparid": "Sales Order",
        "stream_name": "orders",
    }
    target = loader(
        extra_objects=[orders],
        include_deletes=True,
        key_store=str(tmp_path / "keys.sqlite"),
    )
    target.run("orders")
    gone = next(iter(target.tables["orders"]))
    clock.advance(24 * 3600)
    company.delete("SODOCUMENT", int(gone[0]))
    clock.advance(5)
    second = target.run("orders")
    assert second.deleted("orders") == [gone[0]]
    assert len(target.tables["orders"]) == 14


def test_denied_object_is_left_out_with_a_warning(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    denied = frozenset({"CLASS"})
    sandbox.switches = replace(sandbox.switches, denied_objects=denied)
    names = {
        entry["stream"]
        for entry in discovered(loader(extra_objects=["CLASS"]).settings)["streams"]
    }
    assert "class" not in names
    assert "class is not offered" in caplog.text
