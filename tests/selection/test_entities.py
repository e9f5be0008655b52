"""Reading entity by entity: every record once, where it belongs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox
from tap_sage_intacct.errors import InvalidSettings
from tests.loading import Loader

MakeLoader = Callable[..., Loader]
ENTITIES = ("E100", "E200", "E300")
TOP = "(top level)"
PERIODS = ["Month Ended June 2025"]


def owners(company: Company, name: str) -> set[tuple[str, object]]:
    return {
        (str(row["MEGAENTITYID"] or TOP), row["RECORDNO"])
        for row in company.truth(name)
    }


def test_each_record_comes_once_with_the_entity_it_belongs_to(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(entities="all")
    run = target.run("bills", "invoices")
    for stream, name in (("bills", "APBILL"), ("invoices", "ARINVOICE")):
        assert set(target.tables[stream]) == owners(company, name)
        assert run.counts[stream] == company.count(name)
    found = Counter(record["_entity_id"] for record in run.records("bills"))
    assert set(found) == {TOP, *ENTITIES}


def test_key_and_schema_hold_the_entity(loader: MakeLoader) -> None:
    catalog = loader(entities=["E100"]).catalog(["bills"])
    (entry,) = (e for e in catalog["streams"] if e["stream"] == "bills")
    assert list(entry["key_properties"]) == ["_entity_id", "RECORDNO"]
    assert entry["schema"]["properties"]["_entity_id"]["type"] == ["string"]


def test_some_entities_come_with_what_all_share(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(entities=["E200"])
    target.run("bills")
    wanted = {key for key in owners(company, "APBILL") if key[0] in {TOP, "E200"}}
    assert set(target.tables["bills"]) == wanted


def test_changes_and_deletions_arrive_by_entity(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    target = loader(
        entities="all", include_deletes=True, key_store=str(tmp_path / "keys.sqlite")
    )
    target.run("bills")
    clock.advance(24 * 3600)
    by_owner = dict(owners(company, "APBILL"))
    for owner in ("E100", "E300"):
        company.update("APBILL", int(str(by_owner[owner])), {"DESCRIPTION": "changed"})
    gone = {("E200", by_owner["E200"]), (TOP, by_owner[TOP])}
    for _, number in gone:
        company.delete("APBILL", int(str(number)))
    clock.advance(5)
    second = target.run("bills")
    assert set(target.tables["bills"]) == owners(company, "APBILL")
    told = {
        (record["_entity_id"], record["RECORDNO"])
        for record in second.records("bills")
        if record["_sdc_deleted_at"]
    }
    assert gone <= told
    living = [r for r in second.records("bills") if not r["_sdc_deleted_at"]]
    assert {record["_entity_id"] for record in living} == {"E100", "E300"}


def test_each_entity_has_a_state_of_its_own(loader: MakeLoader) -> None:
    run = loader(entities="all").run("bills")
    partitions = run.states[-1]["bookmarks"]["bills"]["partitions"]
    assert [part["context"]["_entity_id"] for part in partitions] == [TOP, *ENTITIES]
    assert all("replication_key_value" in part for part in partitions)


def test_run_that_dies_in_one_entity_goes_on_there(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    catalog = loader(entities="all").catalog(["bills"])
    whole = loader(entities="all", page_size=5).run("bills", catalog=catalog)
    for upto in range(1, len(whole.messages), 17):
        target = loader(entities="all", page_size=5)
        first = target.run("bills", catalog=catalog, upto=upto)
        clock.advance(60)
        second = target.run("bills", catalog=catalog)
        assert set(target.tables["bills"]) == owners(company, "APBILL")
        kept = sum(m["type"] == "RECORD" for m in first.messages)
        assert kept + second.counts["bills"] <= company.count("APBILL") + 5


def test_records_without_an_owner_are_read_once_at_the_top(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(entities="all")
    run = target.run("departments", "gl_journal_entry_lines")
    assert {r["_entity_id"] for r in run.records("departments")} == {TOP}
    assert run.counts["departments"] == company.count("DEPARTMENT")
    # Those of private entities too, since `query` is asked for them.
    assert run.counts["gl_journal_entry_lines"] == company.count("GLENTRY")


def test_balances_are_read_in_each_entity_and_not_at_the_top(
    company: Company, loader: MakeLoader
) -> None:
    target = loader(entities="all", balance_periods=PERIODS)
    run = target.run("gl_account_balances")
    found = Counter(r["_entity_id"] for r in run.records("gl_account_balances"))
    where = f'"PERIOD" = \'{PERIODS[0]}\' AND "_entity" = '
    for entity in ENTITIES:
        rows = company.truth("GLACCOUNTBALANCE", where=f"{where}'{entity}'")
        assert found[entity] == len(list(rows)) > 0
    assert TOP not in found


def test_full_table_by_entities_is_one_version(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(entities="all")
    catalog = target.catalog(["bills"])
    for entry in catalog["streams"]:
        if entry["stream"] == "bills":
            entry["replication_method"] = "FULL_TABLE"
    target.run(catalog=catalog)
    number = next(iter(company.truth("APBILL")))["RECORDNO"]
    clock.advance(60)
    company.delete("APBILL", int(str(number)))
    second = target.run(catalog=catalog)
    versions = {m["version"] for m in second.messages if "version" in m}
    kinds = [m["type"] for m in second.messages if m["type"] != "STATE"]
    assert len(versions) == 1
    assert kinds.count("ACTIVATE_VERSION") == 1
    assert kinds[-1] == "ACTIVATE_VERSION"
    assert set(target.tables["bills"]) == owners(company, "APBILL")


def test_private_rows_of_readbyquery_objects_are_seen_in_their_entity(
    company: Company, loader: MakeLoader
) -> None:
    number = company.insert("REVRECSCHEDULE", {}, private=True, entity="E300")
    target = loader()
    target.run("revenue_recognition_schedules")
    assert (number,) not in target.tables["revenue_recognition_schedules"]
    target = loader(entities="all")
    target.run("revenue_recognition_schedules")
    assert ("E300", number) in target.tables["revenue_recognition_schedules"]


def test_unknown_entity_is_refused_with_the_nearest(loader: MakeLoader) -> None:
    target = loader(entities=["E10"])
    with pytest.raises(InvalidSettings, match="no entity 'E10': did you mean E100"):
        target.run("bills")
    assert target.tables == {}


def test_catalog_from_before_is_refused(loader: MakeLoader) -> None:
    catalog = loader().catalog(["bills"])
    with pytest.raises(InvalidSettings, match="Discover again"):
        loader(entities="all").run(catalog=catalog)


def test_entities_that_may_not_be_read_skip_the_stream(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(entities="all")
    catalog = target.catalog(["bills"])
    denied = frozenset({"LOCATIONENTITY"})
    sandbox.switches = replace(sandbox.switches, denied_objects=denied)
    assert target.run(catalog=catalog).counts["bills"] == 0
    assert "bills is skipped" in caplog.text


MOVES = [
    (None, "E200", False),
    ("E100", "E200", True),
    ("E200", "E100", False),
    ("E300", None, False),
]


@pytest.mark.parametrize(("old", "new", "is_private"), MOVES)
def test_record_that_changes_its_owner_exists_once(
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    tmp_path: Path,
    old: str | None,
    new: str | None,
    *,
    is_private: bool,
) -> None:
    target = loader(
        entities="all",
        include_deletes=True,
        key_store=str(tmp_path / "keys.sqlite"),
        lookback_minutes=0,
    )
    catalog = target.catalog(["bills"])
    target.run("bills", catalog=catalog)
    for _ in range(2):
        clock.advance(24 * 3600)
        of = {owner: int(str(key)) for owner, key in owners(company, "APBILL")}
        is_hidden = is_private and new is not None
        company.move("APBILL", of[old or TOP], entity=new, private=is_hidden)
        clock.advance(5)
        target.run("bills", catalog=catalog)
        assert set(target.tables["bills"]) == owners(company, "APBILL")
        clock.advance(24 * 3600)
        second = target.run("bills", catalog=catalog)
        clock.advance(24 * 3600)
        assert target.run("bills", catalog=catalog).records("bills") == []
        assert set(target.tables["bills"]) == owners(company, "APBILL")
        assert all(r["_sdc_deleted_at"] for r in second.records("bills"))
        old, new = new, old


def test_record_that_moved_in_a_run_that_died_exists_once(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    settings = {
        "entities": "all",
        "include_deletes": True,
        "key_store": str(tmp_path / "keys.sqlite"),
    }
    target = loader(**settings)
    target.run("bills")
    clock.advance(24 * 3600)
    of = {owner: int(str(key)) for owner, key in owners(company, "APBILL")}
    company.move("APBILL", of["E300"], entity="E100")
    company.move("APBILL", of["E100"], entity="E300")
    clock.advance(5)
    target.run("bills", upto=3)
    clock.advance(3600)
    target.run("bills")
    clock.advance(3600)
    target.run("bills")
    assert set(target.tables["bills"]) == owners(company, "APBILL")


def test_moves_without_a_key_store_are_said(
    loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    loader(entities="all", include_deletes=True).run("bills", "vendors")
    said = [
        r.getMessage() for r in caplog.records if "another entity" in r.getMessage()
    ]
    assert len(said) == 1
    assert "set key_store" in said[0]
