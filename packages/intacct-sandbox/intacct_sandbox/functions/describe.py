"""lookup, inspect, getDimensions, getUserPermissions: what is said about objects.

Metadata is the same for every user: lookup and inspect answer also for objects that the
role may not read [C].
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from lxml import etree

from intacct_sandbox.company.definitions import (
    FieldDefinition,
    ObjectDefinition,
    RelationshipDefinition,
)
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.visibility import require_described, require_readable
from intacct_sandbox.wire.envelope import element
from intacct_sandbox.wire.errors import FunctionRefusal, object_not_found

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
DIMENSIONS = (
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
# The subscriptions that users see, by the start of an object's name; which object belongs
# to which is [I]. What all applications share belongs to Company.
_APPLICATIONS: tuple[tuple[str, str], ...] = (
    ("REVREC", "Revenue Management"),
    ("CONTRACT", "Contracts"),
    ("GL", "General Ledger"),
    ("REPORTINGPERIOD", "General Ledger"),
    ("AP", "Accounts Payable"),
    ("VENDOR", "Accounts Payable"),
    ("AR", "Accounts Receivable"),
    ("CUSTOMER", "Accounts Receivable"),
    ("SO", "Order Entry"),
    ("PROJECT", "Projects"),
    ("ITEM", "Inventory Control"),
    ("AUDITHISTORY", "Platform Services"),
)


def lookup(call: etree._Element, around: Surroundings) -> Answer:
    """The fields and relationships of one object."""
    document_type = call.findtext("docparid") or ""
    definition = _named(call, around).of_document(document_type)
    require_described(definition, around.switches)
    return Answer(_lookup_document(definition, document_type))


def inspect(call: etree._Element, around: Surroundings) -> Answer:
    """All objects, or one with or without detail."""
    if call.findtext("object") == "*":
        return Answer(_inspect_all(around.company.definitions.values()))
    definition = _named(call, around)
    require_described(definition, around.switches)
    detailed = call.get("detail") == "1"
    render = _inspect_detail if detailed else _inspect_names
    return Answer(render(definition))


def get_dimensions(_call: etree._Element, around: Surroundings) -> Answer:
    """The dimensions of the company, its own ones included."""
    definitions = around.company.definitions
    entry = definitions["GLENTRY"]
    own = {name for name in definitions if entry.field(f"GLDIM{name.upper()}")}
    return Answer(dimensions_document(definitions.values(), frozenset(own)))


def get_user_permissions(_call: etree._Element, around: Surroundings) -> Answer:
    """What the role may list and view, by application."""
    subscribed = [
        part
        for part in around.company.definitions.values()
        if part.name not in around.switches.unsubscribed_objects
    ]
    readable = [part for part in subscribed if _may(part, around)]
    return Answer(_permissions_document(subscribed, readable))


def _may(definition: ObjectDefinition, around: Surroundings) -> bool:
    try:
        require_readable(definition, "readByQuery", around.switches)
    except FunctionRefusal:
        return False
    return True


def _application_of(name: str) -> str:
    return next(
        (app for start, app in _APPLICATIONS if name.startswith(start)), "Company"
    )


def _named(call: etree._Element, around: Surroundings) -> ObjectDefinition:
    label = call.findtext("name")
    if label is None:
        return around.definition(call.findtext("object") or "")
    for definition in around.company.definitions.values():
        if definition.singular.lower() == label.lower():
            return definition
    raise object_not_found(label)


def _all_types(content: str) -> str:
    """The `<data>` around metadata [C]."""
    return f'<data listtype="All" count="1">{content}</data>'


def _lookup_document(definition: ObjectDefinition, document_type: str) -> str:
    """Fields and relationships of an object [C]."""
    fields = "".join(_lookup_field(part) for part in definition.fields if part.listed)
    paths = "".join(_relationship(part) for part in definition.relationships)
    return _all_types(
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


def _inspect_all(definitions: Iterable[ObjectDefinition]) -> str:
    """Every object there is, whatever the user may read [D]."""
    types = "".join(
        f'<type typename="{part.name.lower()}">{escape(part.singular)}</type>'
        for part in definitions
    )
    return _all_types(types)


def _inspect_names(definition: ObjectDefinition) -> str:
    """The fields of an object by name [D]."""
    fields = "".join(element("Field", part.id) for part in definition.fields)
    return _all_types(
        f'<Type Name="{definition.name}"><Fields>{fields}</Fields></Type>'
    )


def _inspect_detail(definition: ObjectDefinition) -> str:
    """The fields of an object with storage type and label [C]."""
    fields = "".join(
        _inspect_field(part, _FIRST_FIELD_KEY + index)
        for index, part in enumerate(definition.fields)
    )
    return _all_types(
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
    names = [name for name in DIMENSIONS if name in found]
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


def _permissions_document(
    subscribed: Iterable[ObjectDefinition], readable: Iterable[ObjectDefinition]
) -> str:
    """The user's applications, and in each what the role may list and view; Shape [I].

    Args:
        subscribed: objects of the applications that the company has.
        readable: those of them that the role may read.
    """
    policies: dict[str, str] = {_application_of(part.name): "" for part in subscribed}
    for part in readable:
        policies[_application_of(part.name)] += (
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
