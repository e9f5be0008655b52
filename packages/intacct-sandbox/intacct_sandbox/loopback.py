"""A threaded HTTP server on the loopback interface that can be stopped for good.

It is the standard library's server, because a fault must reach the socket, and a
client's connection pool must find connections that stay open. That of werkzeug closes
each after one response.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import sys
import threading
from abc import ABC, abstractmethod
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self, override


def check_free(port: int) -> None:
    """Refuse a port that is taken, before anything is made that would be served there.

    Raises:
        OSError: it is.
    """
    LoopbackServer(BaseHTTPRequestHandler, port).server_close()


class LoopbackServer(ThreadingHTTPServer):
    """Serves in a thread of its own, each connection in another."""

    request_queue_size = 128

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        """Bind to the loopback interface; port 0 takes a free one.

        Raises:
            OSError: the port is taken.
        """
        # First, since the base class closes the server if it cannot bind.
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._thread: threading.Thread | None = None
        try:
            super().__init__(("127.0.0.1", port), handler)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise OSError(
                f"port {port} is in use; choose another one with --port, or --port 0 "
                "for any free one"
            ) from error

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Serve until `stop`."""
        # The default half second between looks at the stop flag would be most
        # of a short test's time.
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and every connection, and wait for their threads."""
        if self._thread is None:
            return
        self.shutdown()
        self.server_close()
        self._thread.join()
        self._thread = None

    @override
    def process_request(self, request: Any, client_address: Any) -> None:
        """Give the connection a thread.

        A daemon, so that a server which nobody closes cannot keep its process
        from ending while a client keeps a connection open.
        """
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            daemon=True,
        )
        with self._lock:
            self._connections[request] = thread
        thread.start()

    @override
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that went away; of our own faults say all."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    @override
    def shutdown_request(self, request: Any) -> None:
        """Forget the connection and close it; runs in the connection's own thread."""
        with self._lock:
            self._connections.pop(request, None)
        super().shutdown_request(request)

    @override
    def server_close(self) -> None:
        """End every open connection, then wait for their threads."""
        super().server_close()
        with self._lock:
            open_connections = dict(self._connections)
        for connection, thread in open_connections.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join()


class LoopbackService(ABC):
    """What a server serves, and that can be started, stopped and asked where it is."""

    _server: LoopbackServer | None = None

    @abstractmethod
    def _new_server(self) -> LoopbackServer:
        """Bind a server.

        Raises:
            OSError: the port is taken.
        """

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Open the port and serve in a thread.

        Raises:
            OSError: the port is taken.
        """
        server = self._new_server()
        server.start()
        self._server = server

    def stop(self) -> None:
        """Close the port and every connection; harmless if not started."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    @property
    def origin(self) -> str:
        """Scheme, host and port.

        Raises:
            RuntimeError: not started.
        """
        if self._server is None:
            raise RuntimeError("the sandbox has not been started")
        return self._server.origin


class LoopbackHandler(BaseHTTPRequestHandler):
    """HTTP/1.1 with connections that stay open, and that can be broken."""

    protocol_version = "HTTP/1.1"
    sys_version = ""
    # Headers and body leave in two writes; without this the second would wait
    # for the first one's acknowledgement.
    disable_nagle_algorithm = True

    @override
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: requests are recorded by what is served."""

    def break_connection(self) -> None:
        """Go away without another word."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)
