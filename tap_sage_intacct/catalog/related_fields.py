"""Fields of parent objects, as `query` reads them by a path (Sage's page on query [D]).

Follows the relationships that `lookup` lists. Does not use Singer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tap_sage_intacct.catalog.definitions import Definitions
from tap_sage_intacct.errors import refuse
from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.objects import Field, ObjectDefinition, Relationship
from tap_sage_intacct.settings.suggestions import did_you_mean

_TO_ONE = frozenset({"MANY2ONE", "ONE2ONE"})


def with_related_fields(
    definitions: Definitions, definition: ObjectDefinition, paths: Iterable[str]
) -> ObjectDefinition:
    """The object, with the wanted fields of its parents added.

    The id of such a field is its path; its description names path and parent object.

    Raises:
        InvalidSettings: a path leads nowhere; names the nearest right names.
    """
    found = []
    problems = []
    for path in paths:
        try:
            found.append(_related_field(definitions, definition, path))
        except _WrongPath as error:
            problems.append(
                f"related_fields: {definition.name} has no field '{path}': {error}"
            )
    refuse(problems)
    own = {field.id for field in definition.fields}
    return replace(
        definition,
        fields=(*definition.fields, *(part for part in found if part.id not in own)),
    )


def field_at(
    definitions: Definitions, definition: ObjectDefinition, path: str
) -> Field | None:
    """The field at the end of a path, its own or a parent's; None if there is none."""
    try:
        return _related_field(definitions, definition, path)
    except _WrongPath:
        return None


class _WrongPath(ValueError):
    """Why a path leads nowhere."""


def _related_field(
    definitions: Definitions, definition: ObjectDefinition, path: str
) -> Field:
    """The field at the end of a path, whose steps may be written in any case.

    Intacct follows a relation of an object to itself only once [D].
    """
    owner, steps, rest = definition, list[str](), path
    has_climbed = False
    while (field := _by_name(owner, rest)) is None:
        step, rest = _step(owner, rest)
        target = definitions.of(step.object_name)
        if isinstance(target, IntacctError):
            raise _WrongPath(f"{step.object_name} cannot be looked up. {target}")
        if target.name == owner.name:
            if has_climbed:
                raise _WrongPath(
                    f"Intacct follows the relation of {owner.name} to itself only once."
                )
            has_climbed = True
        owner = target
        steps.append(step.path)
    if not steps:
        return field
    return replace(
        field,
        id=".".join((*steps, field.id)),
        label=f"{field.label or field.id} ({'.'.join(steps)})",
        description=field.description or field.label or field.id,
        parent=owner.name,
        path=".".join(steps),
    )


def _by_name(owner: ObjectDefinition, name: str) -> Field | None:
    return owner.field(name) or owner.field(name.upper())


def _step(owner: ObjectDefinition, path: str) -> tuple[Relationship, str]:
    head, _, rest = path.partition(".")
    paths = {
        relationship.path.upper(): relationship
        for relationship in owner.relationships
        if relationship.type in _TO_ONE
    }
    if not rest:
        names = [field.id for field in owner.fields]
        raise _WrongPath(f"{owner.name} has no '{head}'{did_you_mean(head, names)}")
    step = paths.get(head.upper())
    if step is None:
        names = [relationship.path for relationship in paths.values()]
        known = f" There are {', '.join(names)}." if names else ""
        raise _WrongPath(
            f"{owner.name} has no relation '{head}'{did_you_mean(head, names)}{known}"
        )
    return step, rest
