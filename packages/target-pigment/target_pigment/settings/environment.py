"""Settings where they are written: files, and variables of the environment.

The SDK ends with a traceback at the first that it cannot read, and names none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

from target_pigment.errors import InvalidSettings


def check_files(arguments: Sequence[str]) -> None:
    """Read the files that a command line names after --config.

    Raises:
        InvalidSettings: one is not there, or is no JSON object.
    """
    problems = list(_file_problems(arguments))
    if problems:
        raise InvalidSettings(problems)


def _file_problems(arguments: Sequence[str]) -> Iterator[str]:
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


def read_variables(
    properties: Mapping[str, Mapping[str, Any]],
    prefix: str,
    environment: Mapping[str, str],
) -> dict[str, Any]:
    """The settings that variables hold.

    Raises:
        InvalidSettings: with every variable that cannot be read, and no value.
    """
    found: dict[str, Any] = {}
    problems: list[str] = []
    for name, schema in properties.items():
        variable = prefix + name.upper()
        if variable not in environment:
            continue
        wanted, read = _READERS[_kind(schema)]
        try:
            found[name] = read(environment[variable])
        except ValueError:
            problems.append(f"The environment variable {variable} must be {wanted}.")
    if problems:
        raise InvalidSettings(problems)
    return found


def _kind(schema: Mapping[str, Any]) -> str:
    types = schema.get("type") or "object"
    words = [types] if isinstance(types, str) else list(types)
    return next(word for word in words if word != "null")


def _number(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError
    return number


def _boolean(text: str) -> bool:
    word = text.lower()
    if word not in {"true", "1", "yes", "on", "false", "0", "no", "off"}:
        raise ValueError
    return word in {"true", "1", "yes", "on"}


def _json(wanted: type, text: str) -> Any:
    found: object = json.loads(text)
    if not isinstance(found, wanted):
        raise ValueError  # noqa: TRY004  one error for every misfit
    return found


_READERS: Mapping[str, tuple[str, Callable[[str], Any]]] = {
    "string": ("text", str),
    "integer": ("a whole number", int),
    "number": ("a number", _number),
    "boolean": ("true or false", _boolean),
    "object": ("a JSON object", partial(_json, dict)),
    "array": ("a JSON array", partial(_json, list)),
}
"""What a text must be, and how it is read, by the type of the setting."""
