"""lookup, inspect and the other descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from lxml import etree

from intacct_sandbox import Switches
from intacct_sandbox.functions.describe import dimensions_document

if TYPE_CHECKING:
    from tests.sandbox.gateway.client import Client


def lookup(name: str) -> str:
    return f"<lookup><object>{name}</object></lookup>"


@pytest.mark.parametrize("name", ["VENDOR", "GLENTRY", "subscription_plan"])
def test_lookup_tells_the_whole_definition(reader: Client, name: str) -> None:
    definition = reader.sandbox.company.definitions[name]
    data = reader.data(lookup(name))
    assert (data.get("listtype"), data.get("count")) == ("All", "1")
    listed = [part for part in definition.fields if part.listed]
    fields = data.findall("Type/Fields/Field")
    assert [f.findtext("ID") for f in fields] == [part.id for part in listed]
    assert [f.findtext("DATATYPE") for f in fields] == [p.datatype for p in listed]
    values = [[v.text or "" for v in f.iterfind("VALIDVALUES/*")] for f in fields]
    assert values == [list(part.valid_values) for part in listed]
    paths = data.findall("Type/Relationships/Relationship/OBJECTPATH")
    assert [p.text for p in paths] == [r.path for r in definition.relationships]


def test_children_of_a_looked_up_field_are_in_order(reader: Client) -> None:
    data = reader.data(lookup("VENDOR"))
    for field in data.iterfind("Type/Fields/Field"):
        names = [str(child.tag) for child in field if child.tag != "VALIDVALUES"]
        expected = "ID LABEL DESCRIPTION REQUIRED READONLY DATATYPE ISCUSTOM"
        assert names == expected.split()


def test_object_may_be_named_by_its_label(reader: Client) -> None:
    label = reader.sandbox.company.definitions["APBILL"].singular
    data = reader.data(f"<lookup><name>{label}</name></lookup>")
    assert data.find("Type[@Name='APBILL']") is not None


def test_document_type_is_echoed(reader: Client) -> None:
    asked = "<lookup><object>VENDOR</object><docparid>Bill</docparid></lookup>"
    assert reader.data(asked).find("Type[@DocumentType='Bill']") is not None


def test_unknown_object_is_not_found(reader: Client) -> None:
    assert reader.error(lookup("NOTHING")) == (
        "Query Failed",
        "Object definition NOTHING not found",
    )


def test_lookup_does_not_ask_for_permission(client: Client) -> None:
    client.sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    assert client.data(lookup("VENDOR")).find("Type") is not None


def test_inspect_lists_every_object(reader: Client) -> None:
    data = reader.data("<inspect><object>*</object></inspect>")
    names = [part.get("typename") for part in data.iterfind("type")]
    definitions = reader.sandbox.company.definitions
    assert names == [name.lower() for name in definitions]


def test_inspect_knows_two_degrees_of_detail(reader: Client) -> None:
    names = reader.data('<inspect detail="0"><object>VENDOR</object></inspect>')
    assert names.findtext("Type/Fields/Field") == "RECORDNO"
    full = reader.data('<inspect detail="1"><object>VENDOR</object></inspect>')
    assert full.findtext("Type/Fields/Field/Name") == "RECORDNO"
    assert full.findtext("Type/Fields/Field/externalDataName") == "integer"


def test_dimensions_are_told(reader: Client) -> None:
    data = reader.data("<getDimensions/>")
    names = [part.text for part in data.iterfind("dimensions/dimension/objectName")]
    assert names[:2] == ["DEPARTMENT", "LOCATION"]


def test_dimensions_of_the_company_itself_come_last(reader: Client) -> None:
    definitions = reader.sandbox.company.definitions.values()
    text = dimensions_document(definitions, frozenset({"region"}))
    last = etree.fromstring(text)[0][-1]
    assert last.findtext("objectName") == "region"
    assert last.findtext("userDefinedDimension") == "true"


def test_permissions_leave_out_denied_objects(client: Client) -> None:
    asked = "<getUserPermissions><userId>tap_user</userId></getUserPermissions>"
    before = client.data(asked).findall(".//policyName")
    client.sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    after = client.data(asked).findall(".//policyName")
    assert len(after) == len(before) - 1


def test_user_formatting_is_read_by_key_or_login(client: Client) -> None:
    keyed = client.data(
        "<readByName><object>USERINFO</object><keys>tap_user</keys>"
        "<fields>RECORDNO</fields></readByName>"
    )
    key = keyed.findtext("USERINFO/RECORDNO")
    by_key = client.data(f"<readUserFormatting><key>{key}</key></readUserFormatting>")
    by_login = client.data(
        "<readUserFormatting><userId>tap_user</userId></readUserFormatting>"
    )
    for data in (by_key, by_login):
        formatting = data.find("userformatting")
        assert formatting is not None
        assert [child.text for child in formatting] == [
            key,
            "en_US",
            "/mdY",
            "+00:00",
            "24",
        ]


def test_permissions_leave_out_an_application_that_is_not_subscribed(
    client: Client,
) -> None:
    asked = "<getUserPermissions><userId>tap_user</userId></getUserPermissions>"

    def applications() -> set[str]:
        names = client.data(asked).findall(".//applicationName")
        return {name.text or "" for name in names}

    assert {"Contracts", "General Ledger"} <= applications()
    contracts = {
        name
        for name in client.sandbox.company.definitions
        if name.startswith("CONTRACT")
    }
    client.sandbox.switches = Switches(denied_objects=frozenset(contracts))
    assert "Contracts" in applications()
    client.sandbox.switches = Switches(unsubscribed_objects=frozenset(contracts))
    assert "Contracts" not in applications()


def test_api_usage_is_offered_unless_the_switch_says_otherwise(client: Client) -> None:
    asked = "<lookup><object>APIUSAGESUMMARY</object></lookup>"
    assert client.data(asked).find("Type") is not None
    client.sandbox.switches = Switches(api_usage=False)
    assert client.error(asked)[1] == "Object definition APIUSAGESUMMARY not found"
