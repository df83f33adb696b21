"""Serve the Optuna dashboard so that browsing cannot change or block a study.

The server listens on the loopback address and has a read-only connection. It accepts only reading requests
that are addressed to this machine; otherwise a page of a foreign site could reach it under its own host name.
"""

import ipaddress
import logging
import socketserver
import threading
import wsgiref.simple_server
from collections.abc import Callable, Iterable
from typing import Any

import optuna_dashboard
import sqlalchemy
from optuna.artifacts.exceptions import ArtifactNotFound

from sweep.dashboard.csv_cells import rewrite_without_formulas
from sweep.dashboard.showcase import ArtifactFiles
from sweep.errors import MachineError
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.folders import Folder

HOST = "127.0.0.1"

_READING = ("GET", "HEAD", "OPTIONS")
_FORBIDDEN = "403 Forbidden"
_FAILED = "500"
_ADVICE = "`sweep list` names a damaged study"
_Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def make_server(storage: Storage, files: Folder, port: int) -> wsgiref.simple_server.WSGIServer:
    """Return a server bound to the loopback address; call ``serve_forever`` on it.

    Args:
        storage: Database, opened read-only.
        files: Folder of the database's files, which contains the artifacts.
        port: Port to listen on; 0 for any free one.

    Raises:
        MachineError: If the port is taken.
    """
    _read_one_at_a_time(storage)
    dashboard = optuna_dashboard.wsgi(storage, ArtifactFiles(storage, files))
    dashboard.catchall = False  # otherwise it prints a traceback for each failed request
    logging.getLogger("optuna_dashboard").setLevel(logging.CRITICAL)  # for the same reason
    application = read_only(_in_one_line(dashboard))
    try:
        return wsgiref.simple_server.make_server(HOST, port, application, _Server, _QuietHandler)
    except OSError as error:
        raise MachineError(f"port {port}: {error.strerror}; choose another with --port") from error


def read_only(application: _Application) -> _Application:
    """Refuse, with 403, requests that would change something or are addressed to another host."""

    def gate(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if environ["REQUEST_METHOD"] not in _READING:
            return _answer(start_response, _FORBIDDEN, "This dashboard is read-only; use sweep's commands.")
        if not _is_loopback(environ.get("HTTP_HOST", "")):
            return _answer(start_response, _FORBIDDEN, "This dashboard answers to localhost only.")
        environ.setdefault(
            "HTTP_ACCEPT_ENCODING", ""
        )  # without this header, the dashboard cannot find its own files
        if environ["PATH_INFO"].startswith("/artifacts/"):
            return application(environ, _as_download(start_response))
        if environ["PATH_INFO"].startswith("/csv/"):
            return _rewritten_table(application, environ, start_response)
        return application(environ, start_response)

    return gate


def _in_one_line(application: _Application) -> _Application:
    """Print each failure of the dashboard to stderr, on one line, and answer with a short text."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        def start(status: str, headers: list[tuple[str, str]], *others: object) -> Any:
            if status.startswith(_FAILED):
                line = f"sweep: the dashboard cannot show {environ['PATH_INFO']!a}; {_ADVICE}"
                print(line, file=environ["wsgi.errors"], flush=True)
            return start_response(status, headers, *others)

        try:
            return application(environ, start)
        except ArtifactNotFound as error:
            return _answer(start, "404 Not Found", ascii(str(error)))
        except Exception as error:  # noqa: BLE001  stored values can make the dashboard raise anything
            return _answer(
                start, f"{_FAILED} Internal Server Error", f"cannot be shown: {error!a}; {_ADVICE}"
            )

    return answer


def _as_download(start_response: Callable[..., Any]) -> Callable[..., Any]:
    """Make browsers save an artifact instead of showing it, and keep foreign sites from reading it."""
    kept = [
        ("Content-Disposition", "attachment"),
        ("Content-Security-Policy", "sandbox; default-src 'none'"),
        ("X-Content-Type-Options", "nosniff"),
    ]

    def start(status: str, headers: list[tuple[str, str]], *others: object) -> Any:
        own = [(name, value) for name, value in headers if name.lower() != "access-control-allow-origin"]
        return start_response(status, [*own, *kept], *others)

    return start


def _rewritten_table(
    application: _Application, environ: dict[str, Any], start_response: Callable[..., Any]
) -> Iterable[bytes]:
    """Answer with the table of trials, with formulas escaped."""
    told: list[tuple[str, list[tuple[str, str]]]] = []
    body = b"".join(application(environ, lambda status, headers, *others: told.append((status, headers))))
    ((status, headers),) = told
    if status.startswith("200") and environ["REQUEST_METHOD"] == "GET":
        body = rewrite_without_formulas(body)
        headers = [(name, value) for name, value in headers if name.lower() != "content-length"]
        headers.append(("Content-Length", str(len(body))))
    start_response(status, headers)
    return [body]


def _read_one_at_a_time(storage: Storage) -> None:
    """Read for one request at a time, because a writer's commit waits for all readers.

    Concurrent readers on one processor would prolong each other's transactions.
    """
    turn = threading.Semaphore()

    def take(*_: object) -> None:
        turn.acquire()

    def give(*_: object) -> None:
        turn.release()

    sqlalchemy.event.listen(storage.engine, "checkout", take)
    sqlalchemy.event.listen(storage.engine, "checkin", give)


class _Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


class _QuietHandler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the base class names it so
        """Do not log requests."""


def _is_loopback(host: str) -> bool:
    name = host.rsplit(":", 1)[0].strip("[]")
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _answer(start_response: Callable[..., Any], status: str, reason: str) -> Iterable[bytes]:
    body = reason.encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]
