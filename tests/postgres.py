"""A PostgreSQL server of the tests' own, where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

DEBIAN = Path("/usr/lib/postgresql")
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Server:
    """Where it listens, and whom it lets in."""

    port: int
    host: str = "127.0.0.1"
    user: str = "loader"
    password: str = "postgres-pa55-of-the-tests"
    database: str = "postgres"

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            dbname=self.database,
        )


def programs() -> Path | None:
    """The folder of initdb and postgres; the newest version's if there are several."""
    found = shutil.which("initdb")
    if found and (Path(found).parent / "postgres").exists():
        return Path(found).parent
    versions = [path for path in DEBIAN.glob("*/bin") if (path / "initdb").exists()]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


def unprivileged() -> str | None:
    """Whom to run as, since PostgreSQL refuses root; None where that is not needed."""
    if os.getuid():
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextmanager
def running(programs: Path) -> Iterator[Server]:
    """Start a server with an empty database; stop and remove it in the end."""
    user = unprivileged()
    # Not below pytest's own folder, which none but its owner may enter.
    with tempfile.TemporaryDirectory(prefix="tap-postgres-") as name:
        folder = Path(name)
        server = Server(_free_port())
        (folder / "password").write_text(server.password)
        if user is not None:
            for path in (folder, folder / "password"):
                shutil.chown(path, user)
        _create(programs, folder, server, user)
        process = subprocess.Popen(
            [
                programs / "postgres",
                f"-D{folder / 'data'}",
                f"-h{server.host}",
                f"-p{server.port}",
                f"-k{folder}",
                "-cfsync=off",
            ],
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait_for(server, process)
            yield server
        finally:
            # Lets nobody finish, and leaves the files in order.
            process.send_signal(signal.SIGINT)
            process.wait(PATIENCE_SECONDS)


def _create(programs: Path, folder: Path, server: Server, user: str | None) -> None:
    subprocess.run(
        [
            programs / "initdb",
            f"-D{folder / 'data'}",
            f"-U{server.user}",
            f"--pwfile={folder / 'password'}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ],
        user=user,
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(server: Server, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            server.connect().close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return
