"""How a setting is declared: once, as a field of a frozen dataclass.

Such a field gives the JSON schema for the SDK, and the value in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeVar

from singer_sdk import typing as th

from tap_sage_intacct.errors import InvalidSettings, refuse
from tap_sage_intacct.intacct.secrets.credentials import Secret
from tap_sage_intacct.settings.suggestions import shortened

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

_Kind = th.JSONTypeHelper[Any] | type[th.JSONTypeHelper[Any]]

_ACRONYMS = frozenset({"api", "id", "url"})

_DECLARED = "declared"


@dataclass(frozen=True, slots=True)
class _Setting:
    name: str
    property_of: Callable[[str], th.Property[Any]]
    read: Callable[[Any], Any]
    fault: str
    takes_empty: bool


def setting(  # noqa: PLR0913 - all that is said of a setting
    description: str = "",
    kind: _Kind = th.StringType,
    *,
    name: str = "",
    read: Callable[[Any], Any] = lambda given: given,
    fault: str = "",
    unset: Any = None,
    **details: Any,
) -> Any:
    """Declare a setting, or a member of a setting that is an object.

    Args:
        description: whole sentences, for the reference and `--about`.
        kind: its JSON type.
        name: its name where the field has another.
        read: makes the field's value of the user's.
        fault: what to say when `read` fails; {} stands for the user's value.
        unset: the field's value where the user gives none, and there is no default.
        details: `default` (as a user would write it), `title` (where it is not the
            name), `required`, `secret` and `allowed_values` of `th.Property`.
    """
    default = details.get("default")
    has_default = default is not None

    def property_of(name: str) -> th.Property[Any]:
        about = {"title": _title(name), "description": description}
        return th.Property(name, kind, **(about if description else {}) | details)

    return field(
        default_factory=lambda: read(default) if has_default else unset,
        metadata={_DECLARED: _Setting(name, property_of, read, fault, has_default)},
    )


def _title(name: str) -> str:
    words = (word.upper() if word in _ACRONYMS else word for word in name.split("_"))
    title = " ".join(words)
    return title[0].upper() + title[1:]


def secret(description: str, **details: Any) -> Any:
    """Declare a setting that no output may show."""
    return setting(description, read=Secret, unset=Secret(""), secret=True, **details)


def choice(default: Enum, description: str, **details: Any) -> Any:
    """Declare a setting that is one of the words of an enumeration."""
    details |= {"default": default.value, "allowed_values": words_of(type(default))}
    return setting(description, read=type(default), **details)


def group(kind: type[DataclassInstance]) -> Any:
    """Declare the settings that are the fields of another dataclass."""
    return field(default_factory=kind, metadata={_DECLARED: kind})


def words_of(kind: type[Enum]) -> list[str]:
    """The words of an enumeration, as users write them."""
    return [member.value for member in kind]


def object_of(kind: type[DataclassInstance]) -> th.ObjectType:
    """The JSON type of a setting whose members are the fields of a dataclass."""
    return th.ObjectType(*properties_of(kind), additional_properties=False)


def properties_of(kind: type[DataclassInstance]) -> Iterator[th.Property[Any]]:
    """The JSON schema of each setting, in the order in which they are declared."""
    for part in fields(kind):
        declared = part.metadata.get(_DECLARED)
        if isinstance(declared, _Setting):
            yield declared.property_of(declared.name or part.name)
        elif declared is not None:
            yield from properties_of(declared)


def read_object(kind: type[T], given: Mapping[str, Any]) -> T:
    """Make the value of a setting whose members are the fields of a dataclass.

    Raises:
        InvalidSettings: with every fault.
    """
    problems: list[str] = []
    found = read_settings(kind, given, problems)
    refuse(problems)
    return found


def read_settings(kind: type[T], given: Mapping[str, Any], problems: list[str]) -> T:
    """Make the value of a dataclass whose fields are settings.

    Args:
        kind: the dataclass.
        given: what the user wrote, by name. Null counts as not given, and so does an
            empty text if there is no default.
        problems: gets a sentence for each fault; the field keeps its default.
    """
    values: dict[str, Any] = {}
    for part in fields(kind):
        declared = part.metadata.get(_DECLARED)
        if isinstance(declared, _Setting):
            found = given.get(declared.name or part.name)
            if found is None or (found == "" and not declared.takes_empty):
                continue
            try:
                values[part.name] = declared.read(found)
            except InvalidSettings as error:
                problems += error.problems
            except (ValueError, KeyError, OSError):
                if not declared.fault:
                    raise
                problems.append(declared.fault.replace("{}", shortened(str(found))))
        elif declared is not None:
            values[part.name] = read_settings(declared, given, problems)
    return kind(**values)
