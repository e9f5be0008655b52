"""The command `intacct-sandbox`: serve a company or a Pigment workspace.

It also changes a company, and prints its truth.

A company's commands work on one file, and may do so at the same time: business goes on
while a reader reads.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import re
import shlex
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from intacct_sandbox.clock import SystemClock
from intacct_sandbox.company.company import Company
from intacct_sandbox.loopback import check_free
from intacct_sandbox.pigment import PigmentSandbox, Workspace
from intacct_sandbox.sandbox import Sandbox
from intacct_sandbox.switches import PLAIN_CREDENTIALS

# Any length will do: a signal ends it.
_LONG_SECONDS = 3600
_LAST_PORT = 65535
_FEWEST_LINES = 40


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options))
    except BrokenPipeError:
        # The reader has seen enough, and Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except sqlite3.Error as error:
        return _fail(f"{_file_of(options)} cannot be used: {error}")
    except (OSError, LookupError, ValueError) as error:
        return _fail(str(error))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _fail(message: str) -> int:
    sys.stderr.write(f"intacct-sandbox: {message}\n")
    return 1


def _file_of(options: argparse.Namespace) -> Path:
    """The file that the command works on."""
    found: Path = options.workspace if "workspace" in options else options.company_file
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="intacct-sandbox",
        description="A Sage Intacct company in a box, behind the real XML gateway's "
        "manners.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    serve = commands.add_parser("serve", help="serve a company over HTTP")
    serve.add_argument("--port", type=_port, default=8642, help="0 takes a free one")
    serve.add_argument(
        "--company-file",
        type=Path,
        default=Path("intacct-sandbox.sqlite"),
        help="created if it is absent (default: %(default)s)",
    )
    serve.add_argument("--seed", type=int, default=1, help="of a new company")
    serve.add_argument(
        "--scale",
        type=_lines,
        default=600,
        metavar="LINES",
        help="journal lines of a new company, about, 40 to millions",
    )
    serve.add_argument(
        "--ready-file", type=Path, help="gets the URL once the port is open"
    )
    serve.add_argument(
        "--plain-passwords",
        action="store_true",
        help="passwords without & < and quotes, for clients that do not escape them",
    )
    serve.set_defaults(run=_serve)
    pigment = commands.add_parser("pigment", help="serve a Pigment workspace over HTTP")
    pigment.add_argument("--port", type=_port, default=8643, help="0 takes a free one")
    pigment.add_argument(
        "--workspace",
        type=Path,
        default=Path("pigment-sandbox.sqlite"),
        help="created if it is absent (default: %(default)s)",
    )
    pigment.add_argument(
        "--lists", type=Path, help="JSON file of the lists of a new workspace"
    )
    pigment.add_argument(
        "--ready-file", type=Path, help="gets the URL once the port is open"
    )
    pigment.set_defaults(run=_serve_pigment)
    change = commands.add_parser("change", help="let a day of business pass")
    change.add_argument("--company-file", type=Path, required=True)
    change.add_argument("--seed", type=int, default=1)
    change.add_argument(
        "--share", type=_share, default=0.01, help="of the rows, to change: 0 to 1"
    )
    change.set_defaults(run=_change)
    truth = commands.add_parser("truth", help="print an object's rows as JSON lines")
    truth.add_argument("--company-file", type=Path, required=True)
    truth.add_argument("--count", action="store_true", help="print their number only")
    truth.add_argument("object", metavar="OBJECT")
    truth.set_defaults(run=_truth)
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{text} is no port: 0 to {_LAST_PORT}")
    return int(text)


def _share(text: str) -> float:
    share = float(text)
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text} is no share: 0 to 1")
    return share


def _lines(text: str) -> int:
    if not text.isdecimal() or int(text) < _FEWEST_LINES:
        raise argparse.ArgumentTypeError(f"{text}: at least {_FEWEST_LINES}")
    return int(text)


def _serve(options: argparse.Namespace) -> int:
    check_free(options.port)
    with (
        contextlib.closing(_open_or_create(options)) as company,
        _until_interrupted(),
        Sandbox(
            company,
            port=options.port,
            credentials=PLAIN_CREDENTIALS if options.plain_passwords else None,
        ) as sandbox,
    ):
        _wait(options.ready_file, sandbox.url, _exports(sandbox))
    return 0


def _serve_pigment(options: argparse.Namespace) -> int:
    check_free(options.port)
    with (
        contextlib.closing(_open_or_create_workspace(options)) as workspace,
        _until_interrupted(),
        PigmentSandbox(workspace, port=options.port) as sandbox,
    ):
        _wait(options.ready_file, sandbox.url, _pigment_exports(sandbox))
    return 0


@contextlib.contextmanager
def _until_interrupted() -> Iterator[None]:
    # An exception, not an event: setting an event from a handler can wait for the
    # very lock that the interrupted main thread holds.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with contextlib.suppress(KeyboardInterrupt):
        yield


def _wait(ready_file: Path | None, url: str, exports: Mapping[str, str]) -> None:
    """Say what is served, then let the server's threads work."""
    if ready_file:
        ready_file.write_text(f"{url}\n", encoding="utf-8")
    lines = [f"# Serving {url} - stop with Ctrl-C. Settings:"]
    lines += [f"export {name}={shlex.quote(value)}" for name, value in exports.items()]
    sys.stdout.write("\n".join([*lines, ""]))
    sys.stdout.flush()
    while True:
        time.sleep(_LONG_SECONDS)


def _open_or_create(options: argparse.Namespace) -> Company:
    if options.company_file.exists():
        return Company.open(options.company_file, clock=SystemClock())
    sys.stderr.write(f"Creating {options.company_file} ...\n")
    return Company.create(
        options.company_file,
        seed=options.seed,
        journal_lines=options.scale,
        clock=SystemClock(),
    )


def _exports(sandbox: Sandbox) -> dict[str, str]:
    return {
        f"TAP_SAGE_INTACCT_{name.upper()}": value
        for name, value in sandbox.config().items()
    }


def _open_or_create_workspace(options: argparse.Namespace) -> Workspace:
    if options.workspace.exists():
        return Workspace(options.workspace)
    lists = _lists_of(options.lists) if options.lists else []
    # In memory first: what is refused must leave no file.
    with contextlib.closing(Workspace()) as trial:
        trial.add_lists(lists)
    workspace = Workspace(options.workspace)
    workspace.add_lists(lists)
    return workspace


def _lists_of(path: Path) -> list[dict[str, Any]]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(found, list) or not all(isinstance(e, dict) for e in found):
        raise ValueError(f"{path} must hold a JSON list of objects, one for each list")
    if lacking := {"name", "columns"} - set.intersection({"name", "columns"}, *found):
        raise ValueError(f"{path}: a list lacks {' and '.join(sorted(lacking))}")
    return found


def _pigment_exports(sandbox: PigmentSandbox) -> dict[str, str]:
    """The target's settings, and the id of each configuration by its name."""
    ids = {
        f"PIGMENT_{re.sub('[^A-Z0-9]+', '_', one.name.upper())}_ID": one.id
        for one in sandbox.workspace.configurations
    }
    return {
        "TARGET_PIGMENT_BASE_URL": sandbox.url,
        "TARGET_PIGMENT_API_KEY": sandbox.import_key,
        **ids,
    }


def _change(options: argparse.Namespace) -> int:
    with contextlib.closing(_open(options.company_file)) as company:
        summary = company.change(seed=options.seed, share=options.share)
    sys.stdout.write(json.dumps(dataclasses.asdict(summary)) + "\n")
    return 0


def _truth(options: argparse.Namespace) -> int:
    with contextlib.closing(_open(options.company_file)) as company:
        if options.object not in company.definitions:
            raise LookupError(f"no object {options.object} in this company")
        if options.count:
            sys.stdout.write(f"{company.count(options.object)}\n")
            return 0
        for row in company.truth(options.object):
            written = json.dumps(row, default=_as_text, ensure_ascii=False)
            sys.stdout.write(written + "\n")
    return 0


def _open(path: Path) -> Company:
    if not path.exists():
        raise FileNotFoundError(f"no company file {path}")
    return Company.open(path, clock=SystemClock())


def _as_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(value)


if __name__ == "__main__":
    sys.exit(main())
