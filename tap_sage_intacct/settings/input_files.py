"""The JSON files that users give: settings, a catalog, a state.

Reads a file, or says in one line what is wrong with it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tap_sage_intacct.errors import InvalidSettings


def read_object(path: Path, option: str) -> dict[str, Any]:
    """The JSON object in a file, which may begin with a byte order mark.

    Args:
        path: of the file.
        option: of the command line that names it, for messages.

    Raises:
        InvalidSettings: it cannot be read, or holds something else. The message
            repeats none of its content, which may be a password.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InvalidSettings(
            f"{option}: {path} cannot be read: {error.strerror}."
        ) from None
    except UnicodeDecodeError:
        raise InvalidSettings(
            f"{option}: {path} is not UTF-8 text: save it as UTF-8."
        ) from None
    if not text.strip():
        raise InvalidSettings(f"{option}: {path} is empty: it must hold JSON.")
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidSettings(
            f"{option}: {path} is not JSON (see line {error.lineno})."
        ) from None
    if not isinstance(found, dict):
        raise InvalidSettings(f"{option}: {path} must hold a JSON object.")
    return found
