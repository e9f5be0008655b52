"""The labels of enumerations.

They are not in the Singer catalog: a target would refuse any value that is not listed.
"""

from __future__ import annotations

from collections.abc import Mapping

from tap_sage_intacct.intacct.objects import ObjectDefinition
from tap_sage_intacct.intacct.rows.values import ValueType, value_type_of

Labels = Mapping[str, tuple[str, ...]]
"""Field to labels."""


def labels_of(definition: ObjectDefinition) -> Labels:
    """The labels that an object has for its text fields."""
    return {
        field.id: tuple(label for label in field.valid_values if label)
        for field in definition.fields
        if any(field.valid_values) and value_type_of(field.datatype) is ValueType.TEXT
    }
