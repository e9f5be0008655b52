"""Deletions under stream maps: they arrive with key and mark, or the run is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intacct_sandbox import Company, ManualClock
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.streams.maps import DeletionMapper
from tests.loading import Loader, Run
from tests.records.test_output import batched

MakeLoader = Callable[..., Loader]
MARK = "_sdc_deleted_at"


def delete_after_load(
    company: Company, clock: ManualClock, target: Loader, stream: str = "bills"
) -> tuple[int, Run]:
    """Load, delete a bill, load again."""
    target.run(stream)
    clock.advance(3600)
    number = int(str(next(company.truth("APBILL"))["RECORDNO"]))
    company.delete("APBILL", number)
    clock.advance(3600)
    return number, target.run(stream)


def bills(loader: MakeLoader, **mapped: Any) -> Loader:
    return loader(include_deletes=True, stream_maps={"bills": mapped})


@pytest.mark.parametrize(
    ("mapped", "also"),
    [
        ({"double": "float(TOTALDUE) * 2"}, {}),
        ({"double": "float(record['TOTALDUE']) * 2"}, {}),
        ({"TOTALDUE": "float(self) * 2"}, {}),
        ({"__filter__": "TOTALDUE > 0"}, {}),
        ({"__filter__": "float(_['TOTALDUE']) > 0", "VENDORNAME": None}, {}),
        ({"RECORDNO": "RECORDNO", "STATE": "STATE", "__else__": None}, {}),
        ({"source": "'intacct'"}, {"source": "intacct"}),
        ({"gone": f"bool(record.get('{MARK}'))"}, {"gone": True}),
        ({MARK: MARK, "STATE": None}, {}),
        ({"__alias__": "ap_bills", "STATE": "STATE.upper()"}, {}),
    ],
    ids=str,
)
def test_deletion_passes_with_its_key_and_its_mark(
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    mapped: dict[str, Any],
    also: dict[str, Any],
) -> None:
    target = bills(loader, **mapped)
    number, run = delete_after_load(company, clock, target)
    stream = mapped.get("__alias__", "bills")
    (deletion,) = run.records(stream)
    assert deletion == {"RECORDNO": number, MARK: deletion[MARK], **also}
    assert deletion[MARK] is not None
    (schema,) = (m["schema"] for m in run.messages if m["type"] == "SCHEMA")
    assert schema["properties"][MARK]["format"] == "date-time"
    assert target.tables[stream]
    assert all(record[MARK] is None for record in target.tables[stream].values())
    assert (number,) not in target.tables[stream]


def test_deletion_reaches_every_copy_of_a_stream(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    maps = {
        "paid": {"__source__": "bills", "__filter__": "TOTALDUE == 0"},
        "keys": {"__source__": "bills", "RECORDNO": "RECORDNO", "__else__": None},
    }
    target = loader(include_deletes=True, stream_maps=maps)
    number, run = delete_after_load(company, clock, target)
    for stream in ("bills", "paid", "keys"):
        assert run.deleted(stream) == [number]
        assert (number,) not in target.tables[stream]


def test_key_that_is_made_of_the_key_is_made_for_a_deletion_too(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = bills(
        loader,
        id="'bill-' + str(RECORDNO)",
        RECORDNO=None,
        __key_properties__=["id"],
        __filter__="TOTALDUE >= 0",
    )
    number, run = delete_after_load(company, clock, target)
    (deletion,) = run.records("bills")
    assert deletion == {"id": f"bill-{number}", MARK: deletion[MARK]}
    assert (f"bill-{number}",) not in target.tables["bills"]


@pytest.mark.parametrize(
    ("mapped", "words"),
    [
        ({MARK: None}, "drops or changes _sdc_deleted_at"),
        ({MARK: "__NULL__"}, "drops or changes _sdc_deleted_at"),
        ({MARK: f"str({MARK})[:10]"}, "drops or changes _sdc_deleted_at"),
        ({"gone": MARK, MARK: None}, "drops or changes _sdc_deleted_at"),
        ({"__key_properties__": ["VENDORID"]}, "without its key VENDORID"),
        (
            {"id": "VENDORID + str(RECORDNO)", "__key_properties__": ["id"]},
            "without its key id: make it from RECORDNO alone",
        ),
        (
            {"id": "md5(json.dumps(record))", "__key_properties__": ["id"]},
            "without its key id",
        ),
        ({"RECORDNO": None, "__key_properties__": None}, "without its key RECORDNO"),
    ],
    ids=str,
)
def test_map_under_which_no_deletion_arrives_is_refused(
    loader: MakeLoader, mapped: dict[str, Any], words: str
) -> None:
    target = bills(loader, **mapped)
    with pytest.raises(InvalidSettings, match=words):
        target.run("bills")
    assert target.tables == {}


def test_map_of_another_stream_or_run_is_not_refused(loader: MakeLoader) -> None:
    target = bills(loader, __key_properties__=["VENDORID"])
    assert target.run("departments").counts["departments"]
    plain = loader(stream_maps=target.settings["stream_maps"])
    assert plain.run("bills").counts["bills"]


def test_deletion_passes_a_flattened_map(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(
        include_deletes=True,
        stream_maps={"bills": {"whole": "record", "__filter__": "TOTALDUE >= 0"}},
        flattening_enabled=True,
        flattening_max_depth=1,
    )
    number, run = delete_after_load(company, clock, target)
    assert run.deleted("bills") == [number]
    assert target.tables["bills"]


def test_map_is_refused_also_without_a_catalog(
    loader: MakeLoader, capsys: pytest.CaptureFixture[str]
) -> None:
    from tap_sage_intacct.tap import TapSageIntacct  # noqa: PLC0415

    tap = TapSageIntacct(config=dict(bills(loader, **{MARK: None}).settings))
    with pytest.raises(InvalidSettings, match="drops or changes"):
        tap.sync_all()
    assert '"RECORD"' not in capsys.readouterr().out


def test_batches_with_maps_are_refused(loader: MakeLoader, tmp_path: Path) -> None:
    """A field that the map drops would stand in the file."""
    maps = {"departments": {"TITLE": None}}
    target = batched(loader, tmp_path, "jsonl", stream_maps=maps)
    with pytest.raises(InvalidSettings, match="do not reach into the files"):
        target.run("departments")
    renamed = batched(loader, tmp_path, "jsonl", stream_maps={"locations": {"A": "1"}})
    assert renamed.run("departments").messages


FIELDS = ("RECORDNO", "NAME", "TOTALDUE")
SCHEMA: dict[str, Any] = {
    "properties": {
        "RECORDNO": {"type": ["integer"]},
        "NAME": {"type": ["null", "string"]},
        "TOTALDUE": {"type": ["null", "number"]},
        MARK: {"type": ["null", "string"], "format": "date-time"},
    }
}
LIVING = {"RECORDNO": 7, "NAME": "a", "TOTALDUE": 3, MARK: None}
DEAD = {"RECORDNO": 7, MARK: "2026-01-31T12:00:00+00:00"}
NAMES = st.sampled_from([*FIELDS, MARK, "id", "other"])
READS = st.sampled_from([*FIELDS, MARK]).flatmap(
    lambda name: st.sampled_from(
        [name, f"record[{name!r}]", f'_["{name}"]', f"record.get('{name}')"]
    )
)
EXPRESSIONS = st.one_of(
    st.none(),
    READS,
    READS.map(lambda read: f"str({read})"),
    st.tuples(READS, READS).map(lambda two: f"str({two[0]}) if {two[1]} else 'no'"),
    st.sampled_from(
        ["'x'", "1", "float(TOTALDUE) * 2", "NAME.upper()", "bool(record)"]
    ),
)
DEFINITIONS = st.builds(
    lambda parts, options: {**parts, **options},
    st.dictionaries(NAMES, EXPRESSIONS, max_size=4),
    st.fixed_dictionaries(
        {},
        optional={
            "__filter__": st.sampled_from(
                ["TOTALDUE > 5", "float(TOTALDUE) > 1", "NAME"]
            ),
            "__else__": st.none(),
            "__alias__": st.just("other_name"),
            "__key_properties__": st.one_of(
                st.none(), st.lists(NAMES, min_size=1, max_size=2, unique=True)
            ),
        },
    ),
)


@given(DEFINITIONS)
def test_any_map_either_delivers_a_deletion_or_says_why_not(
    definition: dict[str, Any],
) -> None:
    config = {"stream_maps": {"bills": definition}}
    before = deepcopy(config)
    mapper = DeletionMapper(config, logging.getLogger("test"))
    try:
        mapper.register_raw_stream_schema("bills", deepcopy(SCHEMA), ["RECORDNO"])
    except Exception:  # noqa: BLE001 - a map that the SDK refuses without deletions too
        return
    assert config == before
    if mapper.problems["bills"]:
        return
    (found,) = mapper.stream_maps["bills"]
    deletion = found.transform(dict(DEAD))
    assert found.get_filter_result(dict(DEAD))
    assert deletion is not None
    assert deletion[MARK] == DEAD[MARK]
    assert MARK in found.transformed_schema["properties"]
    for key in found.transformed_key_properties or ["RECORDNO"]:
        assert deletion[key] is not None
    assert set(deletion) <= set(found.transformed_schema["properties"])
    # The key of a deletion is that of the record as it lived.
    living = found.transform(dict(LIVING))
    if living is not None and not definition.get("__key_properties__"):
        assert living["RECORDNO"] == deletion["RECORDNO"]
    if living is not None:
        assert living[MARK] is None
