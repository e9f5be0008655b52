"""lookup, inspect, getDimensions, getUserPermissions.

What lives here: the choice of object and document. What it must not know: rows.
The idea: none of these asks whether the role may read the object [C].
"""

from __future__ import annotations

from lxml import etree

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.metadata import (
    dimensions_document,
    inspect_all,
    inspect_detail,
    inspect_names,
    lookup_document,
    permissions_document,
)
from intacct_sandbox.objects.visibility import require_described, require_readable
from intacct_sandbox.wire.errors import FunctionRefusal, object_not_found


def lookup(call: etree._Element, around: Surroundings) -> Answer:
    """The fields and relationships of one object."""
    document_type = call.findtext("docparid") or ""
    definition = _named(call, around).of_document(document_type)
    require_described(definition, around.switches)
    return Answer(lookup_document(definition, document_type))


def inspect(call: etree._Element, around: Surroundings) -> Answer:
    """All objects, or one with or without detail."""
    if call.findtext("object") == "*":
        return Answer(inspect_all(around.company.definitions.values()))
    definition = _named(call, around)
    require_described(definition, around.switches)
    detailed = call.get("detail") == "1"
    render = inspect_detail if detailed else inspect_names
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
    return Answer(permissions_document(subscribed, readable))


def _may(definition: ObjectDefinition, around: Surroundings) -> bool:
    try:
        require_readable(definition, "readByQuery", around.switches)
    except FunctionRefusal:
        return False
    return True


def _named(call: etree._Element, around: Surroundings) -> ObjectDefinition:
    label = call.findtext("name")
    if label is None:
        return around.definition(call.findtext("object") or "")
    for definition in around.company.definitions.values():
        if definition.singular.lower() == label.lower():
            return definition
    raise object_not_found(label)
