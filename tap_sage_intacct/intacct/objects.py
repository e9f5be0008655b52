"""What objects are in one company, in Intacct's own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Field:
    """One field of an object.

    Attributes:
        id: the name on the wire; dotted (`DISPLAYCONTACT.CITY`) in a contact.
        label: what users see; may be empty, as may the description.
        datatype: Intacct's DATATYPE word in upper case, TEXT where it is missing.
        required: needed to create a record, not promised to be set when read.
        valid_values: labels of an enumeration, an empty one among them or none [C].
        parent: the object that it comes from, where that is known; empty otherwise.
        path: of a related field, to its parent.
    """

    id: str
    label: str = ""
    description: str = ""
    datatype: str = "TEXT"
    required: bool = False
    read_only: bool = False
    is_custom: bool = False
    valid_values: tuple[str, ...] = ()
    parent: str = ""
    path: str = ""


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
        is_seen: whether a lookup listed the fields; the tap infers some.
    """

    name: str
    document_type: str | None = None
    fields: tuple[Field, ...] = ()
    relationships: tuple[Relationship, ...] = ()
    is_seen: bool = True

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
