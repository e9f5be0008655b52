"""Where the settings come from: meltano.yml, the environment, files.

The later source wins, setting by setting. Values that stand as text where the setting
is none (in the environment, behind a variable of meltano.yml) are read as its type.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from tap_sage_intacct.companion.meltano_file import find_meltano_file
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.selection.meltano import MeltanoSelection
from tap_sage_intacct.selection.names import check_stream_names
from tap_sage_intacct.settings.environment import (
    from_environment,
    typed,
    variable_of,
)
from tap_sage_intacct.settings.input_files import read_object
from tap_sage_intacct.settings.settings import (
    SETTINGS,
    Settings,
)

ENVIRONMENT = "ENV"
"""Stands for the environment among the files of `--config`, as in the SDK."""

_PROPERTIES: Mapping[str, Any] = SETTINGS.to_dict()["properties"]
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)


@dataclass(frozen=True)
class Configuration:
    """What the tap would be configured with.

    Attributes:
        values: setting to value, merged.
        selection: what Meltano would select; None where there is no meltano.yml.
    """

    values: Mapping[str, Any]
    selection: MeltanoSelection | None = None

    def settings(self) -> Settings:
        """The settings, checked as the tap checks them; credentials may be missing.

        Raises:
            InvalidSettings: with every problem found, and no secret.
        """
        found = Settings.from_config(self.values)
        check_stream_names(found)
        return found


def load_configuration(
    files: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
) -> Configuration:
    """Merge meltano.yml, the environment with `.env`, and the files, in this order.

    Args:
        files: paths of JSON files; `ENV` is the environment, which is read anyway.
        folder: holds meltano.yml and `.env`, either of which may be missing.
        environment: of the process, for tests.

    Raises:
        InvalidSettings: a file cannot be read, a variable is nearly a setting's, or a
            text is not of its setting's type.
    """
    variables = _variables(folder, os.environ if environment is None else environment)
    of_environment = from_environment(_PROPERTIES, variables)
    meltano_file = find_meltano_file(folder)
    values: dict[str, Any] = {}
    selection = None
    if meltano_file is not None:
        environment_name = variables.get("MELTANO_ENVIRONMENT")
        config = meltano_file.tap_config(environment_name)
        values |= _expanded(config, variables)
        stated = meltano_file.selection(environment_name)
        selection = _overridden(stated, variables)
    values |= of_environment
    for file in files:
        if file != ENVIRONMENT:
            values |= read_object(Path(file), "--config")
    return Configuration(values, selection)


def _variables(folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """What `.env` says, unless the environment says otherwise, as in Meltano."""
    path = folder / ".env"
    try:
        stated = dotenv_values(path) if path.is_file() else {}
    except (OSError, UnicodeDecodeError):
        raise InvalidSettings(
            f"{path} cannot be read: save it as UTF-8 text."
        ) from None
    return {
        "MELTANO_PROJECT_ROOT": str(folder),
        **{name: value for name, value in stated.items() if value},
        **environment,
    }


def _overridden(
    selection: MeltanoSelection, variables: Mapping[str, str]
) -> MeltanoSelection:
    """With `select` of the environment, which Meltano prefers to meltano.yml."""
    stated = variables.get(variable_of("_select"))
    if not stated:
        return selection
    try:
        return replace(selection, rules=tuple(json.loads(stated)))
    except (ValueError, TypeError):
        raise InvalidSettings(
            f"{variable_of('_select')} must be a JSON list."
        ) from None


def _expanded(
    config: Mapping[str, Any], variables: Mapping[str, str]
) -> dict[str, Any]:
    """The plugin's settings with `$VAR` and `${VAR}` replaced; empty ones left out."""
    found = {
        name: _typed(name, value) if isinstance(value, str) else value
        for name, value in _replaced(config, variables).items()
    }
    return {name: value for name, value in found.items() if value not in ("", None)}


def _replaced(value: Any, variables: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(
            lambda match: variables.get(match[1] or match[2], ""), value
        )
    if isinstance(value, Mapping):
        return {name: _replaced(part, variables) for name, part in value.items()}
    if isinstance(value, list):
        return [_replaced(part, variables) for part in value]
    return value


def _typed(name: str, text: str) -> Any:
    return typed(name, text, _PROPERTIES.get(name, {}))
