"""A server that speaks HTTP as badly as a test wants, on a port of this machine."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

Behaviour = Callable[[socket.socket], None]


@contextmanager
def hostile_server(behave: Behaviour) -> Iterator[str]:
    """Let each connection be dealt with in a thread; gives the URL to post to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(
                        target=_deal_with, args=(connection, behave), daemon=True
                    ).start()

        threading.Thread(target=serve, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/ia/xml/xmlgw.phtml"
        finally:
            # Closing alone would leave a thread that waits to accept.
            listener.shutdown(socket.SHUT_RDWR)


@contextmanager
def full_server() -> Iterator[str]:
    """A port that takes no more connections, and does not say so."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(
            socket.create_server(("127.0.0.1", 0), backlog=0)
        )
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)  # noqa: FBT003 - a socket has no name for it
            waiting.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/x"


def closed_port() -> str:
    """A URL at which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/x"


def sends(*pieces: bytes) -> Behaviour:
    """Read a request, send these, and go away."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"".join(pieces))

    return behave


def drips(head: bytes, drop: bytes = b"x", *, seconds: float = 0.05) -> Behaviour:
    """Read a request, send the head, then a drop now and then, for ever."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        # No test sleeps, so that `time.sleep` is none here.
        while not threading.Event().wait(seconds):
            connection.sendall(drop)

    return behave


def pours(head: bytes, pieces: Iterable[bytes]) -> Behaviour:
    """Read a request and send without end, as fast as it is taken."""

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(head)
        for piece in pieces:
            connection.sendall(piece)

    return behave


def read_request(connection: socket.socket) -> bytes:
    """The body of a whole request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    while length is not None and len(body) < int(length[1]):
        body += _received(connection)
    return body


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise ConnectionError("the client has gone")
    return data


def _deal_with(connection: socket.socket, behave: Behaviour) -> None:
    with connection, contextlib.suppress(OSError):
        behave(connection)
