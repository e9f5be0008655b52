"""Checks settings where they are written: files, and variables of the environment.

The SDK ends with a traceback at the first that it cannot read, and names none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from target_pigment.errors import InvalidSettings

_TRUTHS = frozenset({"true", "1", "yes", "on", "false", "0", "no", "off"})

_JSON: dict[str, type] = {"object": dict, "array": list}


def check_files(arguments: Sequence[str]) -> None:
    """Read the files that a command line names.

    Raises:
        InvalidSettings: one is not there, or is no JSON object.
    """
    problems = list(file_problems(arguments))
    if problems:
        raise InvalidSettings(problems)


def file_problems(arguments: Sequence[str]) -> Iterator[str]:
    """What is wrong with the files that the command line names after --config."""
    for name, following in zip(arguments, [*arguments[1:], ""], strict=False):
        if name == "--config" and following != "ENV":
            yield from _problems_of(Path(following))
        if name.startswith("--config=") and name != "--config=ENV":
            yield from _problems_of(Path(name.removeprefix("--config=")))


def _problems_of(path: Path) -> Iterator[str]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        yield f"The settings file {path} cannot be read: {error.strerror}."
    except UnicodeDecodeError:
        yield f"The settings file {path} is not written in UTF-8."
    except json.JSONDecodeError as error:
        yield (
            f"The settings file {path} is not JSON: look at line {error.lineno}, column "
            f"{error.colno}."
        )
    else:
        if not isinstance(found, dict):
            yield f"The settings file {path} must hold one JSON object."


def variable_problems(
    properties: Mapping[str, Mapping[str, Any]],
    prefix: str,
    environment: Mapping[str, str],
) -> list[str]:
    """What is wrong with the variables that hold settings; no value is shown."""
    return [
        f"The environment variable {prefix}{name.upper()} must be {wanted}."
        for name, schema in properties.items()
        if (text := environment.get(prefix + name.upper())) is not None
        if (wanted := _wanted(_kind(schema), text))
    ]


def numbers_read(
    properties: Mapping[str, Mapping[str, Any]], found: Mapping[str, Any]
) -> dict[str, Any]:
    """As the SDK read the variables, and fractions as numbers, which it leaves text."""
    return {
        name: Decimal(value)
        if isinstance(value, str) and _kind(properties[name]) == "number"
        else value
        for name, value in found.items()
    }


def _kind(schema: Mapping[str, Any]) -> str:
    types = schema.get("type") or "object"
    words = [types] if isinstance(types, str) else list(types)
    return next(word for word in words if word != "null")


def _wanted(kind: str, text: str) -> str:
    """What a text would have to be; empty if it is."""
    if kind == "integer":
        return "" if text.strip().lstrip("+-").isdecimal() else "a whole number"
    if kind == "number":
        return "" if _is_number(text) else "a number"
    if kind == "boolean":
        return "" if text.lower() in _TRUTHS else "true or false"
    if kind in _JSON:
        return "" if _is_json(text, _JSON[kind]) else f"a JSON {kind}"
    return ""


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_json(text: str, wanted: type) -> bool:
    try:
        return isinstance(json.loads(text), wanted)
    except ValueError:
        return False
