"""Patterns of `select`: read as Meltano reads them, which is asked for its own answer."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from intacct_sandbox import Company, Sandbox
from tap_sage_intacct.catalog.schema import load_shipped_schema
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.selection.meltano import (
    MeltanoSelection,
    Pattern,
    metadata_rules,
    pattern_for,
)
from tap_sage_intacct.selection.names import unmatched_patterns

ROOT = Path(__file__).parents[2]

# Names as Intacct and users give them, and patterns that nearly or just fit.
STREAMS = {
    "bills": ("RECORDNO", "VENDOR", "VENDOR.CREDITLIMIT", "VENDOR.NAME", "STATE"),
    "bills_2": ("RECORDNO", "VENDORXNAME", "My field", "A.B.C"),
    "my.stream": ("RECORDNO", "A.B", "AxB"),
}
PARTS = ("bills", "bills_2", r"my\.stream", "my.stream", "b*", "*", "bills?2", "BILLS")
FIELDS = (
    *("*", "VENDOR", "VENDOR.CREDITLIMIT", "VENDOR?CREDITLIMIT", "VENDOR.*", "VENDOR*"),
    *("VENDOR?NAME", "A?B?C", "A.B", "A?B", "?ENDOR*", "[RS]*", "My field", "STATE"),
    *("VENDOR[.]NAME", "properties.STATE", "A.*", "RECORDNO", "", "vendor"),
)
patterns = st.builds(
    lambda mark, stream, field: f"{mark}{stream}{field}",
    st.sampled_from(("", "", "!")),
    st.sampled_from(PARTS),
    st.sampled_from(("", *(f".{field}" for field in FIELDS))),
)
stated = st.dictionaries(
    st.sampled_from(
        ("bills", "bills.VENDOR?NAME", "bills.VENDOR.NAME", "*.STATE", "b*")
    ),
    st.fixed_dictionaries({"selected": st.booleans()}),
    max_size=3,
)
selections = st.builds(
    lambda rules, metadata, only: {
        "select": rules,
        "metadata": metadata,
        "select_filter": only,
    },
    st.lists(patterns, max_size=6),
    stated,
    st.lists(st.sampled_from(("bills", "!bills", "b*", "!my*")), max_size=2),
)

# Runs in Meltano's environment: the steps of its `apply_catalog_rules`.
ASK_MELTANO = """
import json, sys
out, sys.stdout = sys.stdout, sys.stderr  # Where Meltano logs.
from meltano.core.plugin.singer import catalog as c
from meltano.core.plugin.singer.tap import config_metadata_rules
from meltano.core.utils import flatten, nest_object
catalog, cases = json.load(sys.stdin)
answers = []
for case in cases:
    found = json.loads(json.dumps(catalog))
    rules = c.select_metadata_rules(["!*.*"])
    rules += c.select_metadata_rules(case["select"])
    rules += config_metadata_rules(nest_object(flatten(case["metadata"], "dot")))
    rules += c.select_filter_metadata_rules(case["select_filter"])
    c.MetadataExecutor(rules).visit(found)
    answers.append([
        [s["tap_stream_id"], m["breadcrumb"][1:], m["metadata"]["selected"]]
        for s in found["streams"] for m in s["metadata"]
    ])
json.dump(answers, out)
"""


def catalog() -> dict[str, Any]:
    return {
        "streams": [
            {
                "tap_stream_id": stream,
                "schema": {"properties": {f: {"type": ["string"]} for f in fields}},
                "metadata": [
                    {"breadcrumb": breadcrumb, "metadata": {"inclusion": "available"}}
                    for breadcrumb in [[], *(["properties", f] for f in fields)]
                ],
            }
            for stream, fields in STREAMS.items()
        ]
    }


def meltano() -> str:
    command = os.environ.get("MELTANO")
    if command is None:
        pytest.skip("MELTANO does not name the command: run `make test-long`")
    return command


def answers_of_meltano(cases: list[dict[str, Any]]) -> Any:
    python = Path(meltano()).with_name("python")
    finished = subprocess.run(
        [python, "-c", ASK_MELTANO],
        input=json.dumps([catalog(), cases]),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(finished.stdout)


def ours(case: dict[str, Any]) -> MeltanoSelection:
    return MeltanoSelection(
        tuple(case["select"]),
        metadata_rules(case["metadata"]),
        tuple(case["select_filter"]),
    )


@pytest.mark.long
@settings(
    max_examples=20,
    # To shrink asks Meltano hundreds of times, and the assertion names the one case.
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(st.lists(selections, min_size=40, max_size=40))
def test_patterns_select_what_meltano_selects(cases: list[dict[str, Any]]) -> None:
    for case, answer in zip(cases, answers_of_meltano(cases), strict=True):
        selection = ours(case)
        for stream, breadcrumb, is_selected in answer:
            field = breadcrumb[0] if breadcrumb else None
            chosen = selection.chooses(stream, field)
            assert chosen is is_selected, (case, stream, field)


@pytest.mark.long
@pytest.mark.usefixtures("meltano_alone")
def test_meltano_selects_the_fields_that_patterns_of_ours_name(
    living_company: Company, tmp_path: Path
) -> None:
    """The catalog that Meltano hands to the tap, and what the tap says of patterns."""
    rules = [
        pattern_for("employees", "PERSONALINFO.FIRSTNAME"),
        "vendors.DISPLAYCONTACT.CONTACTNAME",
        "customers.*",
        "!customers.DISPLAYCONTACT?EMAIL1",
    ]
    with Sandbox(living_company) as sandbox:
        environment = {
            **os.environ,
            **{f"TAP_SAGE_INTACCT_{k.upper()}": v for k, v in sandbox.config().items()},
            "TAP_SAGE_INTACCT__SELECT": json.dumps(rules),
            "TAP_SAGE_INTACCT_INCLUDE_DELETES": "false",
            "TAP_SAGE_INTACCT_KEY_STORE": "",
        }
        dumped, run = (
            subprocess.run(
                [meltano(), "invoke", *arguments],
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            for arguments in (
                ["--dump=catalog", "tap-sage-intacct"],
                ["tap-sage-intacct"],
            )
        )
    (tmp_path / "catalog.json").write_text(dumped.stdout)
    selected = {
        (entry["stream"], part["breadcrumb"][-1])
        for entry in json.loads(dumped.stdout)["streams"]
        for part in entry["metadata"]
        if part["breadcrumb"] and part["metadata"].get("selected")
    }
    assert ("employees", "PERSONALINFO.FIRSTNAME") in selected
    assert ("vendors", "DISPLAYCONTACT.CONTACTNAME") not in selected
    assert ("customers", "DISPLAYCONTACT.PHONE1") in selected
    assert ("customers", "DISPLAYCONTACT.EMAIL1") not in selected
    assert "write 'vendors.DISPLAYCONTACT?CONTACTNAME'" in run.stderr
    assert "PERSONALINFO?FIRSTNAME' matches nothing" not in run.stderr


@given(
    st.text("ab.x_-", min_size=1).filter(lambda name: name.strip(".")),
    st.text("AB.*?[]x ", min_size=1),
)
def test_pattern_of_a_field_selects_it(stream: str, field: str) -> None:
    pattern = pattern_for(stream, field)
    selection = MeltanoSelection((pattern,))
    assert selection.chooses(stream)
    assert selection.chooses(stream, field)
    assert not selection.chooses(stream, f"{field}_2")
    assert Pattern.parse(pattern).matches({stream: [field]})


def test_dot_in_a_field_names_nothing() -> None:
    """As the issue found it: neither does it exclude."""
    rules = (
        "bills.VENDOR.CREDITLIMIT",
        "employees.*",
        "!employees.PERSONALINFO.PHONE1",
    )
    selection = MeltanoSelection(rules)
    assert not selection.chooses("bills", "VENDOR.CREDITLIMIT")
    assert selection.chooses("employees", "PERSONALINFO.PHONE1")


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("bills.VENDOR.NAME", "write 'bills.VENDOR?NAME'"),
        ("!bills.VENDOR.NAME", "write '!bills.VENDOR?NAME'"),
        ("bills.STAT", "did you mean STATE?"),
        ("bils.*", "'bils' matches: did you mean bills"),
        ("employees.SSN", "include_sensitive"),
    ],
)
def test_pattern_that_matches_nothing_says_what_to_write(rule: str, words: str) -> None:
    (problem,) = unmatched_patterns([rule], {**STREAMS, "employees": ["TITLE"]})
    assert words in problem


@pytest.mark.parametrize("rule", ["*.*", "bills", "bills.*", "!b*", "*.STATE", "my.x*"])
def test_pattern_that_matches_is_passed_over(rule: str) -> None:
    streams = {**STREAMS, "my": ["xyz"]}
    assert unmatched_patterns([rule], streams) == []


def documented_patterns() -> list[str]:
    """Those of the shipped project."""
    project = yaml.safe_load((ROOT / "meltano.yml").read_text())
    return [
        rule
        for entry in project["plugins"]["extractors"]
        for rule in entry.get("select", ())
    ]


def test_shipped_patterns_match_shipped_fields() -> None:
    streams = {
        source.stream_name: load_shipped_schema(source.stream_name)["properties"]
        for source in DATA_SOURCES
    }
    assert documented_patterns()
    assert unmatched_patterns(documented_patterns(), streams) == []
