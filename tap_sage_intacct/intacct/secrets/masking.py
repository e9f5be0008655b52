r"""Secrets are masked by value, in whatever words and writing they come back.

Intacct repeats session ids in its errors [C], and nobody promises that it repeats no
password. So no text that came from outside is trusted: every error of this package and
every record of the log is searched for the secrets in use, also where they are escaped
for HTML, XML, JSON, a URL (once or several times) or written in base64.
"""

from __future__ import annotations

import logging
import re
import sys
import traceback
from base64 import b64encode
from collections.abc import Iterator
from html.entities import codepoint2name
from threading import Lock
from types import TracebackType
from typing import Any
from weakref import WeakSet

from tap_sage_intacct.intacct.secrets.credentials import Secret

MASK = "****"

SHORT = 4
"""What is shorter is masked as a whole word only: it occurs by chance."""
_LEAST_OF_BASE64 = 6

_NAMES = {chr(code): name for code, name in codepoint2name.items()} | {"'": "apos"}


class Mask:
    """Hides secrets as long as it lives; safe to share between threads."""

    def __init__(self, *secrets: Secret) -> None:
        self._lock = Lock()
        self._patterns: dict[Secret, re.Pattern[str]] = {}
        self.add(*secrets)
        with _lock:
            _masks.add(self)
        _install()

    def add(self, *secrets: Secret) -> None:
        """Hide these as well."""
        found = {
            secret: re.compile(_any_writing(secret.reveal()), re.IGNORECASE)
            for secret in secrets
            if secret.reveal()
        }
        with self._lock:
            self._patterns = self._patterns | found

    def __call__(self, text: str) -> str:
        """The text without the secrets."""
        for pattern in self._patterns.values():
            text = pattern.sub(MASK, text)
        return text


_lock = Lock()
_masks: WeakSet[Mask] = WeakSet()


def masked(text: str) -> str:
    """The text without any secret that is in use."""
    with _lock:
        masks = list(_masks)
    for mask in masks:
        text = mask(text)
    return text


def _any_writing(secret: str) -> str:
    plain = "".join(map(_any_writing_of, secret))
    if len(secret) < SHORT:
        return rf"(?<!\w){plain}(?!\w)"
    return "|".join((plain, *_in_base64(secret)))


def _any_writing_of(character: str) -> str:
    """A pattern for one character: escapes may be mixed, and escaped again."""
    code = ord(character)
    encoded = character.encode(errors="surrogatepass")
    ways = [
        # JSON and Python put backslashes before some, and other shells before others.
        rf"\\*{re.escape(character)}",
        "".join(f"%(?:25)*{byte:02x}" for byte in encoded),
        f"&(?:amp;)*#0*{code};",
        f"&(?:amp;)*#x0*{code:x};",
        "".join(rf"\\+u{unit.hex()}" for unit in _units(character)),
        rf"\\+x{code:02x}",
    ]
    if character in _NAMES:
        ways.append(f"&(?:amp;)*{_NAMES[character]};")
    if character == " ":
        ways.append(r"\+")
    return f"(?:{'|'.join(ways)})"


def _units(character: str) -> Iterator[bytes]:
    """Of UTF-16, which JSON escapes are made of."""
    encoded = character.encode("utf-16-be", errors="surrogatepass")
    for begin in range(0, len(encoded), 2):
        yield encoded[begin : begin + 2]


def _in_base64(secret: str) -> Iterator[str]:
    """The part that does not depend on what stands before and after the secret."""
    data = secret.encode(errors="surrogatepass")
    for before in range(3):
        written = b64encode(b"\0" * before + data).decode()
        begin = (before * 8 + 5) // 6
        part = written[begin : (before + len(data)) * 8 // 6]
        if len(part) >= _LEAST_OF_BASE64:
            yield re.escape(part).replace(r"\+", "[+-]").replace("/", "[/_]")


_original_factory = logging.getLogRecordFactory()


def _install() -> None:
    """From now on look at all that the process logs, and at how it ends.

    At the making of records, since filters of a logger see no records of others, and
    handlers come and go.
    """
    global _original_factory  # noqa: PLW0603 - the process has one factory
    factory = logging.getLogRecordFactory()
    if factory is not _masked_record:
        _original_factory = factory
        logging.setLogRecordFactory(_masked_record)
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _masked_hook


def _masked_record(*args: Any, **extra: Any) -> logging.LogRecord:
    record = _original_factory(*args, **extra)
    text = _whole_text(record)
    hidden = masked(text)
    if hidden != text:
        record.msg, record.args = hidden, None
        record.exc_info = record.exc_text = record.stack_info = None
    return record


def _whole_text(record: logging.LogRecord) -> str:
    """What a formatter may make of it."""
    try:
        parts = [record.getMessage()]
    except (TypeError, ValueError):
        # Logging complains of such a record when it is written.
        parts = [f"{record.msg} {record.args}"]
    if record.exc_info and record.exc_info[0] is not None:
        parts.append("".join(traceback.format_exception(*record.exc_info)))
    return "\n".join(parts).rstrip("\n")


def _masked_hook(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    text = "".join(traceback.format_exception(kind, error, trace))
    sys.stderr.write(masked(text))
