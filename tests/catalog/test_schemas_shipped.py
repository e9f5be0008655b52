import subprocess
import sys
from importlib import resources
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from tap_sage_intacct.catalog.schema import load_shipped_schema, value_types
from tap_sage_intacct.catalog.sources import BALANCE_KEY, DATA_SOURCES, DataSource
from tap_sage_intacct.intacct.rows.values import ValueType

ROOT = Path(__file__).parents[2]

every_source = pytest.mark.parametrize(
    "source", DATA_SOURCES, ids=lambda source: source.stream_name
)


def test_each_source_ships_a_schema_and_no_other_is_shipped() -> None:
    folder = resources.files("tap_sage_intacct.catalog") / "schemas"
    shipped = {entry.name for entry in folder.iterdir()}
    schemas = {f"{source.stream_name}.json" for source in DATA_SOURCES}
    assert shipped == schemas


@every_source
def test_schema_is_valid_and_says_what_each_property_is(source: DataSource) -> None:
    schema = load_shipped_schema(source.stream_name)
    Draft202012Validator.check_schema(schema)
    assert schema["type"] == "object"
    assert schema["title"] == source.title
    assert source.object_name in schema["description"]
    for name, definition in schema["properties"].items():
        assert definition["title"], name
        assert definition["description"].endswith("."), name


def test_schemas_are_made_of_the_facts_of_the_repository(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tools.make_schemas", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    made = {path.name: path.read_text("utf-8") for path in tmp_path.iterdir()}
    folder = ROOT / "tap_sage_intacct" / "catalog" / "schemas"
    assert made == {path.name: path.read_text("utf-8") for path in folder.iterdir()}


@every_source
def test_keys_come_first_and_only_keys_are_never_null(source: DataSource) -> None:
    properties = load_shipped_schema(source.stream_name)["properties"]
    never_null = [
        name
        for name, definition in properties.items()
        if "null" not in definition["type"]
    ]
    assert never_null == list(source.primary_keys)
    assert list(properties)[: len(never_null)] == never_null


@every_source
def test_columns_that_reading_relies_on_have_their_types(source: DataSource) -> None:
    types = value_types(load_shipped_schema(source.stream_name))
    for key in source.primary_keys:
        is_text = key == BALANCE_KEY or source.object_name == "GLDETAIL"
        assert types[key] is (ValueType.TEXT if is_text else ValueType.INTEGER)
    for stamp in filter(None, (source.replication_key, source.creation_stamp)):
        assert types[stamp] is ValueType.TIMESTAMP
    for field in source.paging_key.fields:
        is_text = source.object_name == "GLDETAIL" and field.name == "RECORDNO"
        assert types[field.name] is (ValueType.TEXT if is_text else field.value_type)


@pytest.mark.parametrize(
    ("stream_name", "refused"),
    [
        ("bills", "PAYTOCONTACTNAME"),
        ("bills", "TAXSOLUTIONKEY"),
        ("gl_journal_entries", "JOURNALKEY"),
        ("gl_accounts", "REQUIRETASK"),
        ("gl_journal_entry_lines", "LOCATIONID"),
        ("gl_journal_entry_lines", "DEPARTMENTID"),
    ],
)
def test_fields_that_query_refuses_are_not_offered(
    stream_name: str, refused: str
) -> None:
    assert refused not in load_shipped_schema(stream_name)["properties"]


def test_money_and_days_have_their_types() -> None:
    types = value_types(load_shipped_schema("bills"))
    assert types["TOTALDUE"] is ValueType.DECIMAL
    assert types["WHENCREATED"] is ValueType.DATE
    assert types["AUWHENCREATED"] is ValueType.TIMESTAMP


def test_unknown_stream_has_no_schema() -> None:
    with pytest.raises(FileNotFoundError):
        load_shipped_schema("general_gossip")
