"""The labels of enumerations: shipped with the tap, or the company's own.

They are not in the Singer catalog: a target would refuse any value that is not listed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib import resources

from tap_sage_intacct.intacct.objects import ObjectDefinition
from tap_sage_intacct.intacct.rows.values import ValueType, value_type_of

Labels = Mapping[str, tuple[str, ...]]
"""Field to labels."""


@cache
def shipped_labels(object_name: str) -> Labels:
    """The labels of a typical company; empty for objects that are not shipped."""
    folder = resources.files("tap_sage_intacct.catalog") / "schemas"
    text = (folder / "labels.json").read_text(encoding="utf-8")
    found: dict[str, dict[str, list[str]]] = json.loads(text)
    return {
        field: tuple(labels)
        for field, labels in found.get(object_name.upper(), {}).items()
    }


def labels_of(definition: ObjectDefinition) -> Labels:
    """The labels that this company has for its text fields."""
    return {
        field.id: tuple(label for label in field.valid_values if label)
        for field in definition.fields
        if any(field.valid_values) and value_type_of(field.datatype) is ValueType.TEXT
    }
