"""Make the sandbox's object definitions from the field notes of the 22 data sources.

    python tools/make_sandbox_definitions.py FIELDS_JSON OUT_DIR

Objects beside the 22 (what the streams refer to, and what a tap must read besides
them) stand in the table `FURTHER`: `ID:DATATYPE`, with `!` for required fields and
`{a|b}` for values.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

DATATYPES = {
    "string": "TEXT",
    "enum": "TEXT",
    "integer": "INTEGER",
    "number": "DECIMAL",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}
STATUS = {"active": "T", "inactive": "F", "active non-posting": "P"}
SCHEDULE_STATES = {
    "In progress": "I",
    "On hold": "H",
    "Completed": "C",
    "Terminated": "T",
}
# What readByQuery compares instead of the labels (Sage's pages on each object [D]).
CODES: dict[tuple[str, str], dict[str, str]] = {
    ("GLACCOUNT", "ACCOUNTTYPE"): {"incomestatement": "I", "balancesheet": "N"},
    ("GLBATCH", "STATE"): {
        "Draft": "I",
        "Submitted": "S",
        "Partially Approved": "X",
        "Approved": "A",
        "Posted": "P",
        "Declined": "R",
        "Reversal pending": "L",
        "Reversed": "Z",
    },
    ("APBILL", "STATE"): {
        "Draft": "D",
        "Partially Approved": "PA",
        "Submitted": "S",
        "Declined": "U",
        "Posted": "A",
    },
    ("REVRECSCHEDULE", "STATUS"): {
        "Not Started": "N",
        "In Progress": "P",
        "Completed": "C",
        "On Hold": "H",
        "Terminated": "X",
    },
    ("CONTRACTBILLINGSCHEDULE", "STATE"): SCHEDULE_STATES,
    ("CONTRACTREVENUESCHEDULE", "STATE"): SCHEDULE_STATES,
    ("CONTRACTEXPENSESCHEDULE", "STATE"): SCHEDULE_STATES,
    ("CONTRACTBILLINGSCHEDULEENTRY", "STATE"): {
        "Open": "O",
        "Terminated": "T",
        "Posted": "P",
    },
    ("AUDITHISTORY", "ACCESSMODE"): {
        "Access": "A",
        "Modify": "M",
        "Create": "C",
        "Delete": "D",
    },
    ("REPORTINGPERIOD", "BUDGETING"): {"true": "T", "false": "F"},
}
# Custom fields of this company; the BOOLEAN is null on the rows older than it.
CUSTOM_FIELDS: dict[str, str] = {
    "CUSTOMER": "ACCOUNT_TIER:TEXT{Gold|Silver|Bronze} CHANNELS:TEXT KEY_ACCOUNT:BOOLEAN",
    # GLDIM<OBJECT> is a user-defined dimension.
    "GLENTRY": "COST_POOL:TEXT GLDIMREGION:INTEGER",
    "GLDETAIL": "COST_POOL:TEXT GLDIMREGION:INTEGER",
    "CONTRACT": "RENEWAL_RISK:PERCENT",
}
# Custom fields that one transaction definition has, and its sisters have not.
DOCUMENT_FIELDS: dict[str, dict[str, str]] = {
    "SODOCUMENT": {
        "Sales Order": "PRIORITY_CODE:TEXT",
        "Sales Invoice": "DELIVERY_SLOT:TEXT PENALTY:DECIMAL",
    },
}
STAMPS = (
    "WHENCREATED:TIMESTAMP WHENMODIFIED:TIMESTAMP CREATEDBY:INTEGER MODIFIEDBY:INTEGER"
)
# name -> (natural key, functions, fields)
FURTHER: dict[str, tuple[str | None, str, str]] = {
    "AUDITHISTORY": (
        None,
        "lookup query readByQuery",
        "ID:TEXT OBJECTTYPE:ENUM OBJECTKEY:TEXT USERID:ENUM ACCESSTIME:TIMESTAMP "
        "ACCESSMODE:ENUM{Access|Modify|Create|Delete} WORKFLOWACTION:TEXT IPADDRESS:TEXT "
        "SOURCE:ENUM{api|csv|system|ui|sev|flatf} NOTES:TEXT FIELD_NAME:TEXT "
        "FIELD_BEFORE:TEXT FIELD_AFTER:TEXT OBJECTLINK:TEXT RECORD_URL:TEXT",
    ),
    # Tells of billed calls; that there is such an object is known [C], not its fields [?].
    "APIUSAGESUMMARY": (
        None,
        "lookup query readByQuery",
        "RECORDNO:INTEGER WHENCREATED:TIMESTAMP WHENMODIFIED:TIMESTAMP",
    ),
    "REPORTINGPERIOD": (
        "NAME",
        "",
        "RECORD#:INTEGER RECORDNO:INTEGER NAME:TEXT! HEADER1:TEXT! HEADER2:TEXT "
        "START_DATE:DATE! END_DATE:DATE! BUDGETING:TEXT{true|false} DATETYPE:INTEGER "
        f"STATUS:TEXT{{active|inactive}} {STAMPS} REPORTING_PERIODTYPE:TEXT",
    ),
    "USERINFO": (
        "LOGINID",
        "",
        "RECORDNO:INTEGER LOGINID:TEXT! DESCRIPTION:TEXT EMAIL:TEXT! "
        "CONTACTINFO.CONTACTNAME:TEXT! USERTYPE:TEXT{business user|view only user} "
        f"STATUS:TEXT{{active|inactive|lockedout}} {STAMPS}",
    ),
    "GLJOURNAL": (
        "SYMBOL",
        "",
        f"RECORDNO:INTEGER SYMBOL:TEXT! TITLE:TEXT! STATUS:TEXT{{active|inactive}} {STAMPS}",
    ),
    "CLASS": (
        "CLASSID",
        "",
        "RECORDNO:INTEGER CLASSID:TEXT! NAME:TEXT! DESCRIPTION:TEXT "
        f"STATUS:TEXT{{active|active non-posting|inactive}} PARENTID:TEXT {STAMPS}",
    ),
    "ITEM": (
        "ITEMID",
        "",
        f"RECORDNO:INTEGER ITEMID:TEXT! NAME:TEXT! STATUS:TEXT{{active|inactive}} {STAMPS}",
    ),
    "PROJECT": (
        "PROJECTID",
        "",
        "RECORDNO:INTEGER PROJECTID:TEXT! NAME:TEXT! CUSTOMERID:TEXT CFDA:TEXT AGENCY:TEXT "
        f"STATUS:TEXT{{active|inactive}} {STAMPS}",
    ),
    "CONTACT": (
        "CONTACTNAME",
        "",
        "RECORDNO:INTEGER CONTACTNAME:TEXT! COMPANYNAME:TEXT FIRSTNAME:TEXT LASTNAME:TEXT "
        f"EMAIL1:TEXT MAILADDRESS.CITY:TEXT STATUS:TEXT{{active|inactive}} {STAMPS}",
    ),
    "APTERM": ("NAME", "", f"RECORDNO:INTEGER NAME:TEXT! DESCRIPTION:TEXT {STAMPS}"),
    "ARTERM": ("NAME", "", f"RECORDNO:INTEGER NAME:TEXT! DESCRIPTION:TEXT {STAMPS}"),
    "CONTRACTDETAIL": (
        None,
        "",
        "RECORDNO:INTEGER CONTRACTKEY:INTEGER CONTRACTID:TEXT LINENO:INTEGER ITEMID:TEXT "
        f"TOTALFLATAMOUNT:CURRENCY {STAMPS}",
    ),
    "APBILLITEM": (
        None,
        "",
        "RECORDNO:INTEGER RECORDKEY:INTEGER LINE_NO:INTEGER ACCOUNTNO:TEXT AMOUNT:DECIMAL "
        f"DEPARTMENTID:TEXT LOCATIONID:TEXT ENTRYDESCRIPTION:TEXT {STAMPS}",
    ),
    "ARINVOICEITEM": (
        None,
        "",
        "RECORDNO:INTEGER RECORDKEY:INTEGER LINE_NO:INTEGER ACCOUNTNO:TEXT AMOUNT:DECIMAL "
        f"DEPARTMENTID:TEXT LOCATIONID:TEXT ENTRYDESCRIPTION:TEXT {STAMPS}",
    ),
    "SODOCUMENT": (
        "DOCID",
        "lookup query readByQuery read",
        "RECORDNO:TEXT DOCID:TEXT DOCNO:TEXT DOCPARID:TEXT! STATE:TEXT{Pending|Converted} "
        "CUSTVENDID:TEXT TOTAL:DECIMAL WHENCREATED:DATE AUWHENCREATED:TIMESTAMP "
        "WHENMODIFIED:TIMESTAMP",
    ),
    "subscription_plan": (
        None,
        "",
        "id:INTEGER name:TEXT! price:CURRENCY isActive:BOOLEAN createdAt:TIMESTAMP "
        "updatedAt:TIMESTAMP createdBy:INTEGER updatedBy:INTEGER",
    ),
    "region": (
        None,
        "",
        "id:INTEGER name:TEXT! createdAt:TIMESTAMP updatedAt:TIMESTAMP "
        "createdBy:INTEGER updatedBy:INTEGER",
    ),
}
NATURAL_KEYS = {
    "CUSTOMER": "CUSTOMERID",
    "VENDOR": "VENDORID",
    "DEPARTMENT": "DEPARTMENTID",
    "EMPLOYEE": "EMPLOYEEID",
    "LOCATION": "LOCATIONID",
    "LOCATIONENTITY": "LOCATIONID",
    "GLACCOUNT": "ACCOUNTNO",
    "CONTRACT": "CONTRACTID",
    **{name: key for name, (key, _, _) in FURTHER.items() if key},
}
ALL_FUNCTIONS = "lookup query readByQuery read readByName"
FIELD = re.compile(
    r"(?P<id>[^:\s]+):(?P<datatype>[A-Z]+)(?P<required>!?)(?:\{(?P<values>[^}]*)\})?"
)


def main(fields_json: str, out_dir: str) -> None:
    """Write a definition file per object."""
    sources = json.loads(Path(fields_json).read_text(encoding="utf-8"))
    known = frozenset({*sources, *FURTHER})
    definitions = [
        source_definition(name, source, known) for name, source in sources.items()
    ]
    definitions += [further_definition(*item) for item in FURTHER.items()]
    for definition in definitions:
        path = Path(out_dir) / f"{definition['name']}.json"
        text = json.dumps(definition, indent=1, ensure_ascii=False)
        path.write_text(text + "\n", encoding="utf-8")
    print(f"{len(definitions)} definitions")


def source_definition(
    name: str, source: dict[str, Any], known: frozenset[str]
) -> dict[str, Any]:
    """One of the 22; its relationships are those to objects that are known."""
    fields = [source_field(name, field) for field in source["fields"]]
    fields += compact_fields(name, CUSTOM_FIELDS.get(name, ""), is_custom=True)
    ids = {field["id"] for field in fields}
    functions = source["documented_read_functions"]
    return {
        **names(name),
        "served_by": sorted(
            {word.split()[0] for word in functions} & set(ALL_FUNCTIONS.split())
        )
        or ALL_FUNCTIONS.split(),
        "fields": fields,
        "relationships": [
            relationship(given)
            for given in source["relationships"]
            # Some hang on columns that lookup does not list; nothing joins on those.
            if given["by"] in ids and given["object"] in known
        ],
    }


def source_field(name: str, field: dict[str, Any]) -> dict[str, Any]:
    """A field as the notes have it."""
    values = [str(value) for value in field.get("enum") or ()]
    return {
        "id": field["id"],
        "label": field["label"],
        "description": field["description"],
        "datatype": field.get("sage_type") or DATATYPES[field["type"]],
        **flag("required", field.get("required_on_create")),
        **flag("read_only", field.get("read_only")),
        **flag("unlisted", field["queryable"] is False),
        **enumeration(name, field["id"], values),
    }


def further_definition(name: str, given: tuple[str | None, str, str]) -> dict[str, Any]:
    """One of the table."""
    _, functions, fields = given
    return {
        **names(name),
        "served_by": (functions or ALL_FUNCTIONS).split(),
        "fields": [
            *compact_fields(name, fields, is_custom=False),
            *(
                {**field, "document_type": kind}
                for kind, own in DOCUMENT_FIELDS.get(name, {}).items()
                for field in compact_fields(name, own, is_custom=True)
            ),
        ],
        "relationships": [],
    }


def compact_fields(name: str, text: str, *, is_custom: bool) -> list[dict[str, Any]]:
    """Fields written as `ID:DATATYPE!{values}`."""
    return [
        {
            "id": match["id"],
            "label": match["id"].replace("_", " ").capitalize(),
            "description": "",
            "datatype": match["datatype"],
            **flag("required", match["required"]),
            **flag("custom", is_custom),
            **enumeration(name, match["id"], (match["values"] or "").split("|")),
        }
        for match in FIELD.finditer(text)
    ]


def names(name: str) -> dict[str, Any]:
    """How an object is called and known."""
    singular = name.replace("_", " ").capitalize()
    return {
        "name": name,
        "singular": singular,
        "plural": f"{singular}s",
        "natural_key": NATURAL_KEYS.get(name),
    }


def relationship(given: dict[str, Any]) -> dict[str, Any]:
    """A path, and the column of its target that the own column equals."""
    by_number = given["by"].endswith("KEY") or given["by"] in {
        "CREATEDBY",
        "MODIFIEDBY",
        "RECORDNO",
    }
    natural = NATURAL_KEYS.get(given["object"])
    return {
        "path": given["path"],
        "object": given["object"],
        "type": given["type"],
        "by": given["by"],
        "target": "RECORDNO" if by_number or not natural else natural,
    }


def enumeration(name: str, field: str, values: list[str]) -> dict[str, Any]:
    """Labels, and the codes of those that have one."""
    values = [value for value in values if value]
    codes = CODES.get((name, field), STATUS if field == "STATUS" else {})
    known = {value: codes[value] for value in values if value in codes}
    return {
        **({"values": values} if values else {}),
        **({"codes": known} if known else {}),
    }


def flag(name: str, claim: object) -> dict[str, bool]:
    """Only what is true is written."""
    return {name: True} if claim else {}


if __name__ == "__main__":
    main(*sys.argv[1:])
