"""A dashboard that serves a folder, and what it answers."""

import contextlib
import http.client
import json
import threading
from collections.abc import Iterator
from typing import Any

from sweep.dashboard.server import HOST, make_server
from sweep.storage.database import Database
from tests.support.sweep_command import DEADLINE_S


@contextlib.contextmanager
def serving(database: Database) -> Iterator[int]:
    """Serve the dashboard on a free port, which is yielded."""
    with make_server(database.open_for_dashboard(), database.files, 0) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def ask(
    port: int, path: str, method: str = "GET", body: Any = None, host: str | None = None
) -> tuple[int, bytes]:
    """Send one request; return the status and the body."""
    with contextlib.closing(http.client.HTTPConnection(HOST, port, timeout=DEADLINE_S)) as connection:
        headers = {"Content-Type": "application/json", **({"Host": host} if host is not None else {})}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = connection.getresponse()
        return response.status, response.read()


def artifact_ids(port: int) -> dict[str, str]:
    """Return file name -> path of each artifact of the small study."""
    listed = json.loads(ask(port, "/api/studies/1")[1])["artifacts"]
    return {artifact["filename"]: f"/artifacts/1/{artifact['artifact_id']}" for artifact in listed}
