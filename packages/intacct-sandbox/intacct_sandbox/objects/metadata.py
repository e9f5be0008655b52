"""What the gateway says about objects: lookup, inspect, dimensions, permissions.

What lives here: the `<data>` documents as text. What it must not know: rows,
sessions. The idea: metadata is the same for every user: lookup and inspect
answer for objects the role may not read [C].
"""

from __future__ import annotations

from collections.abc import Iterable

from intacct_sandbox.company.definitions import (
    FieldDefinition,
    ObjectDefinition,
    RelationshipDefinition,
)
from intacct_sandbox.objects.applications import application_of
from intacct_sandbox.wire.envelope import element

# Names of the storage types as `inspect` gives them; only integer is [C], the
# others are formed like it [I].
_INSPECT_TYPES = {
    "INTEGER": ("Pt_FieldInt", "integer"),
    "DECIMAL": ("Pt_FieldDouble", "decimal"),
    "CURRENCY": ("Pt_FieldDouble", "currency"),
    "PERCENT": ("Pt_FieldDouble", "percent"),
    "BOOLEAN": ("Pt_FieldBoolean", "boolean"),
    "DATE": ("Pt_FieldDate", "date"),
    "TIMESTAMP": ("Pt_FieldDateTime", "timestamp"),
    "ENUM": ("Pt_FieldString", "enum"),
    "TEXT": ("Pt_FieldString", "text"),
}
# The standard dimensions, in the order of the general ledger's own columns.
_DIMENSIONS = (
    "DEPARTMENT",
    "LOCATION",
    "PROJECT",
    "CUSTOMER",
    "VENDOR",
    "EMPLOYEE",
    "ITEM",
    "CLASS",
    "CONTRACT",
    "WAREHOUSE",
)
_FIRST_FIELD_KEY = 999500400000000


def all_types(content: str) -> str:
    """The `<data>` around metadata [C]."""
    return f'<data listtype="All" count="1">{content}</data>'


def lookup_document(definition: ObjectDefinition, document_type: str) -> str:
    """Fields and relationships of an object [C]."""
    fields = "".join(_lookup_field(part) for part in definition.fields if part.listed)
    paths = "".join(_relationship(part) for part in definition.relationships)
    return all_types(
        f'<Type Name="{definition.name}" DocumentType="{document_type}">'
        f"<Fields>{fields}</Fields><Relationships>{paths}</Relationships></Type>"
    )


def _lookup_field(part: FieldDefinition) -> str:
    labels = "".join(element("VALIDVALUE", value) for value in part.valid_values)
    values = f"<VALIDVALUES>{labels}</VALIDVALUES>" if labels else ""
    return (
        f"<Field>{element('ID', part.id)}{element('LABEL', part.label)}"
        f"{element('DESCRIPTION', part.description)}"
        f"{element('REQUIRED', _flag(part.required))}"
        f"{element('READONLY', _flag(part.read_only))}"
        f"{element('DATATYPE', part.datatype)}{values}"
        f"{element('ISCUSTOM', _flag(part.is_custom))}</Field>"
    )


def _relationship(part: RelationshipDefinition) -> str:
    return (
        f"<Relationship>{element('OBJECTPATH', part.path)}"
        f"{element('OBJECTNAME', part.object_name)}{element('LABEL', part.label)}"
        f"{element('RELATIONSHIPTYPE', part.type)}"
        f"{element('RELATEDBY', part.related_by)}</Relationship>"
    )


def inspect_all(definitions: Iterable[ObjectDefinition]) -> str:
    """Every object there is, whatever the user may read [D]."""
    types = "".join(
        f'<type typename="{part.name.lower()}">{_escaped(part.singular)}</type>'
        for part in definitions
    )
    return all_types(types)


def inspect_names(definition: ObjectDefinition) -> str:
    """The fields of an object by name [D]."""
    fields = "".join(element("Field", part.id) for part in definition.fields)
    return all_types(f'<Type Name="{definition.name}"><Fields>{fields}</Fields></Type>')


def inspect_detail(definition: ObjectDefinition) -> str:
    """The fields of an object with storage type and label [C]."""
    fields = "".join(
        _inspect_field(part, _FIRST_FIELD_KEY + index)
        for index, part in enumerate(definition.fields)
    )
    return all_types(
        f'<Type Name="{definition.name}"><Attributes>'
        f"{element('SingularName', definition.singular)}"
        f"{element('PluralName', definition.plural)}<Description></Description>"
        f"</Attributes><Fields>{fields}</Fields></Type>"
    )


def _inspect_field(part: FieldDefinition, key: int) -> str:
    data_name, external_name = _INSPECT_TYPES[part.datatype]
    return (
        f"<Field>{element('Name', part.id)}<GroupName></GroupName>"
        f"{element('dataName', data_name)}{element('externalDataName', external_name)}"
        f"{element('isRequired', _flag(part.required))}"
        f"{element('isReadOnly', _flag(part.read_only))}<maxLength></maxLength>"
        f"{element('DisplayLabel', part.label)}"
        f"{element('Description', part.description)}{element('id', str(key))}</Field>"
    )


def dimensions_document(
    definitions: Iterable[ObjectDefinition], user_defined: frozenset[str]
) -> str:
    """The enabled dimensions, standard ones first [C]."""
    found = {part.name: part for part in definitions}
    names = [name for name in _DIMENSIONS if name in found]
    names += sorted(user_defined & found.keys())
    rows = "".join(
        _dimension(found[name], user_defined=name in user_defined) for name in names
    )
    return f"<data><dimensions>{rows}</dimensions></data>"


def _dimension(definition: ObjectDefinition, *, user_defined: bool) -> str:
    return (
        f"<dimension>{element('objectName', definition.name)}"
        f"{element('objectLabel', definition.singular)}"
        f"{element('termLabel', definition.singular)}"
        f"{element('userDefinedDimension', _flag(user_defined))}"
        f"<enabledInGL>true</enabledInGL></dimension>"
    )


def permissions_document(
    subscribed: Iterable[ObjectDefinition], readable: Iterable[ObjectDefinition]
) -> str:
    """The user's applications, and in each what the role may list and view; Shape [I].

    Args:
        subscribed: objects of the applications that the company has.
        readable: those of them that the role may read.
    """
    policies: dict[str, str] = {application_of(part.name): "" for part in subscribed}
    for part in readable:
        policies[application_of(part.name)] += (
            f"<policy>{element('policyName', part.plural)}"
            "<rights>List|View</rights></policy>"
        )
    applications = "".join(
        f"<appSubscription>{element('applicationName', name)}"
        f"<policies>{listed}</policies></appSubscription>"
        for name, listed in policies.items()
    )
    return f"<data><permissions>{applications}</permissions></data>"


def _flag(claim: bool) -> str:
    return "true" if claim else "false"


def _escaped(text: str) -> str:
    return element("x", text)[3:-4]
