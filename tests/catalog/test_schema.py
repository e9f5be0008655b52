import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from lxml import etree
from lxml.builder import E

from tap_sage_intacct.catalog.schema import (
    MOST_VALUES,
    UNSEEN_SENTENCE,
    Schema,
    json_schema,
    merge,
    value_types,
    with_known_texts,
)
from tap_sage_intacct.intacct.objects import Field, ObjectDefinition, Relationship
from tap_sage_intacct.intacct.rows.values import (
    VALUE_TYPE_BY_DATATYPE,
    ValueType,
    value_type_of,
)
from tap_sage_intacct.intacct.xml.metadata import read_lookup

LOOKUP_RESPONSES = Path(
    os.environ.get("INTACCT_LOOKUP_RESPONSES")
    or Path(__file__).parents[3] / "shared" / "data" / "lookup"
)
RESPONSES = sorted(LOOKUP_RESPONSES.glob("*.xml"))

VENDOR = Relationship(
    path="VENDOR", object_name="VENDOR", type="MANY2ONE", related_by="VENDORID"
)
PAY_TO = Relationship(
    path="PAYTO", object_name="CONTACTVERSION", related_by="BILLTOPAYTOKEY"
)
SHIP_TO = Relationship(
    path="SHIPTOCONTACT", object_name="CONTACT", related_by="SHIPTO.CONTACTNAME"
)
COMPANION = Relationship(
    path="EXCHANGERATEINFO", object_name="EXCHANGERATEINFO", related_by="RECORDNO"
)


def bill(*fields: Field) -> ObjectDefinition:
    return ObjectDefinition(
        "APBILL", fields=fields, relationships=(COMPANION, VENDOR, PAY_TO, SHIP_TO)
    )


def description(field: Field, *siblings: Field) -> str:
    schema = json_schema(bill(field, *siblings))
    found: str = schema["properties"][field.id]["description"]
    return found


def assert_valid(schema: Schema) -> None:
    Draft202012Validator.check_schema(schema)
    for definition in schema["properties"].values():
        assert definition["title"]
        assert definition["description"]


@pytest.mark.parametrize(
    ("datatype", "json_type", "json_format"),
    [
        ("TEXT", "string", None),
        ("ENUM", "string", None),
        ("SEQUENCE", "string", None),
        ("INTEGER", "integer", None),
        ("DECIMAL", "number", None),
        ("CURRENCY", "number", None),
        ("PERCENT", "number", None),
        ("BOOLEAN", "boolean", None),
        ("DATE", "string", "date"),
        ("TIMESTAMP", "string", "date-time"),
        ("UNHEARD_OF", "string", None),
    ],
)
def test_datatypes_become_json_types_and_back(
    datatype: str, json_type: str, json_format: str | None
) -> None:
    schema = json_schema(bill(Field("A", datatype=datatype)))
    found = schema["properties"]["A"]
    assert found["type"] == ["null", json_type]
    assert found.get("format") == json_format
    assert value_types(schema) == {"A": value_type_of(datatype)}


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ({}, ValueType.TEXT),
        ({"type": "integer"}, ValueType.INTEGER),
        ({"type": ["number", "null"]}, ValueType.DECIMAL),
        ({"type": ["string", "null"], "format": "date-time"}, ValueType.TIMESTAMP),
        ({"type": ["string"], "format": "email"}, ValueType.TEXT),
        ({"type": ["null"]}, ValueType.TEXT),
        ({"type": ["object"]}, ValueType.TEXT),
    ],
)
def test_schemas_of_other_hands_are_understood(
    definition: Schema, expected: ValueType
) -> None:
    assert value_types({"properties": {"A": definition}}) == {"A": expected}


def test_keys_come_first_and_are_never_null() -> None:
    definition = bill(Field("B"), Field("A"), Field("RECORDNO", datatype="INTEGER"))
    schema = json_schema(definition, required_keys=["RECORDNO"])
    assert list(schema["properties"]) == ["RECORDNO", "B", "A"]
    assert schema["properties"]["RECORDNO"]["type"] == ["integer"]
    assert schema["properties"]["A"]["type"] == ["null", "string"]


@pytest.mark.parametrize("field_id", ["RECORD#", "1ST", "A B", "<A>", "-", ""])
def test_what_is_no_element_name_is_left_out(field_id: str) -> None:
    schema = json_schema(bill(Field(field_id), Field("createdAt")))
    assert list(schema["properties"]) == ["createdAt"]


def test_title_is_the_label_or_the_id() -> None:
    schema = json_schema(bill(Field("A", label="Alpha"), Field("B")))
    titles = [found["title"] for found in schema["properties"].values()]
    assert titles == ["Alpha", "B"]


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Field("A"), "A."),
        (Field("A", label="Alpha"), "Alpha."),
        (Field("A", label="Alpha", description="First."), "First."),
        (Field("A", is_custom=True), "A. Custom field."),
        (Field("RECORDNO"), "RECORDNO."),
        (Field("VENDORID"), "VENDORID. Parent object: VENDOR."),
        (Field("VENDORNAME"), "VENDORNAME. Parent object: VENDOR."),
        (Field("PAYTO.TAXID"), "PAYTO.TAXID. Parent object: CONTACTVERSION."),
        (Field("SHIPTO.PHONE1"), "SHIPTO.PHONE1. Parent object: CONTACT."),
        (Field("USERINFO.LOGINID"), "USERINFO.LOGINID. Parent object: USERINFO."),
        (Field("GLDIMBRAND"), "GLDIMBRAND. Parent object: BRAND."),
        (
            Field("STATE", "State", valid_values=("", "Draft", "Posted")),
            "State. Values: Draft, Posted.",
        ),
        (
            Field("VENDORID", "Vendor", valid_values=("x",), is_custom=True),
            "Vendor. Parent object: VENDOR. Values: x. Custom field.",
        ),
        (Field("A", datatype="BOOLEAN", valid_values=("true", "false")), "A."),
    ],
)
def test_description_names_parent_values_and_origin(
    field: Field, expected: str
) -> None:
    assert description(field) == expected


@pytest.mark.parametrize("field_id", ["CLASSDIMKEY", "CLASSID", "CLASSNAME"])
def test_dimension_fields_name_the_dimension(field_id: str) -> None:
    found = description(Field(field_id), Field("CLASSDIMKEY"))
    assert found == f"{field_id}. Parent object: CLASS."


def test_id_without_a_dimension_has_no_parent() -> None:
    assert description(Field("CLASSID")) == "CLASSID."


def test_long_lists_of_values_are_counted() -> None:
    values = tuple(f"v{number}" for number in range(MOST_VALUES + 5))
    found = description(Field("A", valid_values=values))
    assert found.endswith(f"v{MOST_VALUES - 1} and 5 more.")


SHIPPED: Schema = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "title": "Bills",
    "properties": {
        "_balance_key": {"type": ["string"], "title": "Key", "description": "Hash."},
        "GONE": {"type": ["null", "string"], "title": "Gone", "description": "Gone."},
    },
}


def test_company_decides_which_properties_there_are() -> None:
    live = bill(Field("MINE", is_custom=True), Field("AMOUNT", datatype="CURRENCY"))
    merged = merge(SHIPPED, live, required_keys=["_balance_key"])
    assert list(merged["properties"]) == ["_balance_key", "MINE", "AMOUNT"]
    assert merged["title"] == "Bills"
    assert merged["properties"]["AMOUNT"]["type"] == ["null", "number"]
    assert merged["properties"]["_balance_key"]["type"] == ["string"]


KNOWN = ObjectDefinition(
    "APBILL",
    fields=(
        Field("AMOUNT", "Amount", "Total of the lines, in base currency"),
        Field(
            "STATE", "State", "State of the document", valid_values=("Draft", "Posted")
        ),
        Field("TASKID", "Task", "Task ID"),
    ),
    is_seen=False,
)


def merged_description(field: Field) -> str:
    live = with_known_texts(bill(field), KNOWN)
    found: str = json_schema(live)["properties"][field.id]["description"]
    return found


def test_fields_that_no_lookup_listed_are_described_so() -> None:
    description = json_schema(KNOWN)["properties"]["TASKID"]["description"]
    assert description == f"Task ID. {UNSEEN_SENTENCE}"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (Field("AMOUNT", "Amount"), "Total of the lines, in base currency."),
        (
            Field(
                "AMOUNT", "Amount", "What our subsidiary in Lyon owes, fees included"
            ),
            "What our subsidiary in Lyon owes, fees included.",
        ),
        (
            Field("STATE", "State", valid_values=("Draft", "Posted")),
            "State of the document. Values: Draft, Posted.",
        ),
        (
            Field("STATE", "State", valid_values=("Open", "Shut")),
            "State. Values: Open, Shut.",
        ),
        (Field("TASKID", "Task ID"), "Task ID."),
    ],
)
def test_richer_description_stays(field: Field, expected: str) -> None:
    assert merged_description(field) == expected


def test_merging_leaves_the_shipped_schema_alone() -> None:
    before = repr(SHIPPED)
    merge(SHIPPED, bill(Field("AMOUNT")), required_keys=["AMOUNT"])
    assert repr(SHIPPED) == before


@pytest.mark.skipif(not RESPONSES, reason="no recorded lookup responses at hand")
@pytest.mark.parametrize("path", RESPONSES, ids=lambda path: path.stem)
def test_recorded_lookups_give_valid_schemas(path: Path) -> None:
    definition = read_lookup(etree.parse(path).getroot())
    schema = json_schema(definition, required_keys=["RECORDNO"])
    assert_valid(schema)
    assert definition.name == path.stem
    left_out = {field.id for field in definition.fields} - set(schema["properties"])
    assert all("#" in name for name in left_out)


words = st.text(st.characters(categories=["L", "N", "P", "Zs"]), max_size=20)
field_ids = st.one_of(
    words,
    st.sampled_from(
        ["RECORDNO", "RECORD#", "A.B.C", "CLASSDIMKEY", "CLASSID", "GLDIM", "DIMKEY"]
    ),
)
datatypes = st.one_of(st.sampled_from(sorted(VALUE_TYPE_BY_DATATYPE)), words)


@st.composite
def lookups(draw: st.DrawFn) -> etree._Element:
    """Lookup answers as no company should have them."""
    fields = E.Fields()
    for _ in range(draw(st.integers(0, 8))):
        field = E.Field(E.ID(draw(field_ids)), E.DATATYPE(draw(datatypes)))
        for tag in ("LABEL", "DESCRIPTION", "ISCUSTOM", "NOVELTY"):
            if draw(st.booleans()):
                field.append(E(tag, draw(words)))
        if draw(st.booleans()):
            values = draw(st.lists(words, max_size=30))
            field.append(E.VALIDVALUES(*map(E.VALIDVALUE, values)))
        fields.append(field)
    relationship = E.Relationship(
        E.OBJECTPATH(draw(words)),
        E.OBJECTNAME(draw(words)),
        E.RELATEDBY(draw(field_ids)),
    )
    relationships = E.Relationships(relationship, E.Relationship())
    data: etree._Element = E.data(
        E.Type(fields, relationships, Name=draw(words) or "X")
    )
    return data


@given(lookups())
def test_any_lookup_gives_a_valid_schema(data: etree._Element) -> None:
    definition = read_lookup(data)
    schema = json_schema(definition, required_keys=["RECORDNO"])
    assert_valid(schema)
    merged = merge(SHIPPED, definition, required_keys=["RECORDNO"])
    assert_valid(merged)
    assert set(merged["properties"]) == {*schema["properties"], "_balance_key"}
    assert set(value_types(schema).values()) <= set(ValueType)
