"""Answers about objects, read into their definitions.

Lenient, since one odd field must not hide the others: unknown children are passed over,
and what is missing is empty.
"""

from __future__ import annotations

import html
from collections.abc import Iterable

from lxml import etree

from tap_sage_intacct.intacct.objects import (
    Dimension,
    Field,
    ObjectDefinition,
    Relationship,
)


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
