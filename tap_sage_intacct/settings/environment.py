"""Settings in environment variables: texts, read as values of their types.

Texts are not repeated in messages, since one may be a password in the wrong place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tap_sage_intacct.errors import InvalidSettings, refuse
from tap_sage_intacct.settings.names import misspelt_problems

PREFIX = "TAP_SAGE_INTACCT_"

_NAMED = re.compile(r"^(?:There is no setting ')?(\w+)|config\['(\w+)'\]")
"""A setting, in our own sentences and in those about a JSON schema."""

_BOOLEANS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "1", "yes", "on"), True),
    **dict.fromkeys(("false", "0", "no", "off", ""), False),
}


def variable_of(name: str) -> str:
    """The environment variable of a setting."""
    return f"{PREFIX}{name.upper()}"


def credentials_problem(names: Sequence[str]) -> str:
    """Which credentials are missing, and where to set them."""
    named = ", ".join(f"{name} ({variable_of(name)})" for name in names)
    return (
        f"Credentials are missing: {named}. Set them in .env, as .secrets.example shows, "
        "in the environment, or in a file of --config."
    )


def with_variable(problem: str, variables: Mapping[str, str]) -> str:
    """The problem, and the variable of the setting that it names first."""
    held = [
        variable
        for found in _NAMED.finditer(problem)
        if (variable := variable_of(found[1] or found[2])) in variables
    ]
    if not held or held[0] in problem:
        return problem
    return f"{problem} {held[0]} is set in the environment."


def typed(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    """The value of a setting that is given as text.

    Args:
        name: of the setting.
        text: an empty one stays empty: the setting is not set.
        schema: of the setting.

    Raises:
        InvalidSettings: the text is not of the setting's type.
    """
    types = _types(schema)
    if not text or types <= {"string", "null"}:
        return text
    if "integer" in types:
        return _read(name, text, int, "a whole number")
    if "boolean" in types and ("array" not in types or text.lower() in _BOOLEANS):
        return _read(name, text, boolean_of, "true or false")
    if _is_list_of_texts(schema):
        value = from_json(text)
        return text.split(",") if value == text else value
    if "string" in types:
        return from_json(text)
    return _read(name, text, _exactly, "JSON, since it is no plain text")


def _exactly(text: str) -> Any:
    """Read JSON; a number with a point keeps all of its digits."""
    return json.loads(text, parse_float=Decimal)


def _read(name: str, text: str, read: Callable[[str], Any], wanted: str) -> Any:
    try:
        return read(text)
    except (ValueError, KeyError):
        raise InvalidSettings(
            f"{name} ({variable_of(name)}) must be {wanted}."
        ) from None


def boolean_of(text: str) -> bool:
    """What a word for true or false means.

    Raises:
        KeyError: it is another word.
    """
    return _BOOLEANS[text.strip().lower()]


def from_json(given: Any) -> Any:
    """The value of a text that is JSON; anything else unchanged."""
    if not isinstance(given, str):
        return given
    try:
        return _exactly(given)
    except ValueError:
        return given


def texts_of(value: Any) -> tuple[str, ...]:
    """The texts of a list, each once.

    Raises:
        ValueError: it is not a list of texts.
    """
    if not (isinstance(value, list) and all(isinstance(part, str) for part in value)):
        raise ValueError
    return tuple(dict.fromkeys(value))


def from_environment(
    properties: Mapping[str, Mapping[str, Any]], variables: Mapping[str, str]
) -> dict[str, Any]:
    """The settings that environment variables hold, as values of their types.

    Args:
        properties: setting to its schema.
        variables: of the environment; an empty one counts as not set.

    Raises:
        InvalidSettings: with every variable whose name is nearly a setting's, or whose
            text is not of its setting's type.
    """
    named = (n.removeprefix(PREFIX).lower() for n in variables if n.startswith(PREFIX))
    # Meltano adds one for each member of a setting that is an object. Those with two
    # underscores behind the plugin's name are Meltano's own.
    of_meltano = ("_", *(f"{name}_" for name in properties))
    others = [name for name in named if not name.startswith(of_meltano)]
    problems = misspelt_problems(others, properties)
    found: dict[str, Any] = {}
    for name, schema in properties.items():
        if text := variables.get(variable_of(name)):
            try:
                found[name] = typed(name, text, schema)
            except InvalidSettings as error:
                problems += error.problems
    refuse(problems)
    return found


def _is_list_of_texts(schema: Mapping[str, Any]) -> bool:
    """Whether a setting is a list of texts, which may also stand between commas."""
    items = schema.get("items", {})
    is_list = "array" in _types(schema)
    return is_list and "type" in items and _types(items) <= {"string", "null"}


def _types(schema: Mapping[str, Any]) -> set[str]:
    stated = schema.get("type", "string")
    return {stated} if isinstance(stated, str) else set(stated)
