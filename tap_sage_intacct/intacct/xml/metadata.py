"""Metadata: the answer of `lookup` read into an ObjectDefinition.

What an object's fields and parents are in this company, in Intacct's own words. Knows
XML elements but neither the gateway nor Singer. Lenient, since one odd field must not
hide the others: unknown children are passed over, and what is missing is empty.
"""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object.

    Attributes:
        id: the name on the wire; dotted (`DISPLAYCONTACT.CITY`) in a contact.
        label: what users see; may be empty, as may the description.
        datatype: Intacct's DATATYPE word in upper case, TEXT where it is missing.
        required: needed to create a record, not promised to be set when read.
        valid_values: labels of an enumeration, an empty one among them or none [C].
    """

    id: str
    label: str = ""
    description: str = ""
    datatype: str = "TEXT"
    required: bool = False
    read_only: bool = False
    is_custom: bool = False
    valid_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Relationship:
    """A parent whose fields `query` reads as `path.FIELD` (Sage's page on query [D]).

    Attributes:
        object_name: the parent's object.
        type: MANY2ONE or ONE2ONE [C].
        related_by: the field of the child that holds the parent's key.
    """

    path: str
    object_name: str
    label: str = ""
    type: str = ""
    related_by: str = ""


@dataclass(frozen=True, slots=True)
class ObjectDefinition:
    """An object as one company has it.

    Attributes:
        document_type: the transaction definition of an order-entry, purchasing or
            inventory document, None for other objects.
    """

    name: str
    document_type: str | None = None
    fields: tuple[Field, ...] = ()
    relationships: tuple[Relationship, ...] = ()

    def field(self, field_id: str) -> Field | None:
        """Find a field by its id, in the case that Intacct writes it."""
        return next((field for field in self.fields if field.id == field_id), None)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A dimension of the general ledger.

    Attributes:
        object_name: of the object that holds its values.
        labels: what users call it.
    """

    object_name: str
    labels: tuple[str, ...]
    is_user_defined: bool


def read_object_names(data: etree._Element) -> tuple[str, ...]:
    """Read the `<data>` of `inspect` for all objects: their names [D]."""
    names = (element.get("typename") for element in data.iterfind("type"))
    return tuple(dict.fromkeys(name for name in names if name))


def read_dimensions(data: etree._Element) -> tuple[Dimension, ...]:
    """Read the `<data>` of `getDimensions` [C]."""
    return tuple(
        Dimension(
            _text(element, "objectName"),
            (_text(element, "objectLabel"), _text(element, "termLabel")),
            _is_true(element, "userDefinedDimension"),
        )
        for element in data.iterfind(".//dimension")
    )


def read_applications(data: etree._Element) -> tuple[str, ...]:
    """Read the `<data>` of `getUserPermissions`: the user's applications [C]."""
    names = (
        _display_text(element, "applicationName")
        for element in data.iterfind(".//appSubscription")
    )
    return tuple(dict.fromkeys(name for name in names if name))


def read_lookup(data: etree._Element) -> ObjectDefinition:
    """Read the `<data>` element of a `lookup` result.

    `lookup` passes over permissions: a definition does not mean that the user may read
    the object's rows [C].

    Returns:
        Fields in the server's order; of a field listed twice the first one counts, and
        one without an ID is passed over.

    Raises:
        ValueError: there is no `<Type>`, or it has no name.
    """
    description = data.find("Type")
    if description is None or not description.get("Name"):
        raise ValueError("the answer of lookup holds no <Type> with a name")
    fields = (_read_field(element) for element in description.iterfind("Fields/Field"))
    relationships = map(
        _read_relationship, description.iterfind("Relationships/Relationship")
    )
    return ObjectDefinition(
        name=description.get("Name", ""),
        document_type=description.get("DocumentType") or None,
        fields=_first_of_each_id(fields),
        relationships=tuple(found for found in relationships if found.path),
    )


def _first_of_each_id(fields: Iterable[Field]) -> tuple[Field, ...]:
    by_id: dict[str, Field] = {}
    for field in fields:
        by_id.setdefault(field.id, field)
    by_id.pop("", None)
    return tuple(by_id.values())


def _read_field(element: etree._Element) -> Field:
    values = element.iterfind("VALIDVALUES/VALIDVALUE")
    return Field(
        id=_text(element, "ID"),
        label=_display_text(element, "LABEL"),
        description=_display_text(element, "DESCRIPTION"),
        datatype=_text(element, "DATATYPE").upper() or "TEXT",
        required=_is_true(element, "REQUIRED"),
        read_only=_is_true(element, "READONLY"),
        is_custom=_is_true(element, "ISCUSTOM"),
        valid_values=tuple(html.unescape(value.text or "") for value in values),
    )


def _read_relationship(element: etree._Element) -> Relationship:
    return Relationship(
        path=_text(element, "OBJECTPATH"),
        object_name=_text(element, "OBJECTNAME"),
        label=_display_text(element, "LABEL"),
        type=_text(element, "RELATIONSHIPTYPE"),
        related_by=_text(element, "RELATEDBY"),
    )


def _text(element: etree._Element, child: str) -> str:
    return (element.findtext(child) or "").strip()


# Sage's placeholders where nobody wrote a text [C].
_UNSPECIFIED = frozenset({"No label specified", "No description specified"})


def _display_text(element: etree._Element, child: str) -> str:
    """Un-escape once more: Intacct escapes texts for HTML inside its XML [C]."""
    text = html.unescape(_text(element, child))
    return "" if text in _UNSPECIFIED else text


def _is_true(element: etree._Element, child: str) -> bool:
    return _text(element, child).lower() == "true"
