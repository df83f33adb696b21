"""A real PostgreSQL of the tests' own: made, stopped without warning, and started again."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "s3cr3t/w@rd%"  # noqa: S105  of a server that lives as long as a test
QUOTED = "s3cr3t%2Fw%40rd%25"
OTHER_USER = "nobody"
"""Who runs the server if the tests are root's, because a server refuses to be."""


def server_programs() -> Path | None:
    """Return the folder of ``initdb`` and ``pg_ctl``, or None where PostgreSQL is not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: float(path.parts[-3]))
    on_path = shutil.which("pg_ctl")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Server:
    """A server in a folder of its own, with a password, on a port of this machine."""

    def __init__(self, folder: Path, programs: Path, host: str = "127.0.0.1") -> None:
        self._programs, self._data, self.host = programs, folder / "data", host
        self._log = folder / "log"
        self._as_user = _as_other_user(folder) if os.geteuid() == 0 else []
        secret = folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._do("initdb", "-U", "sweep", "--pwfile", secret, "-A", "scram-sha-256", "--no-sync")
        with socket.socket() as probe:
            probe.bind((host, 0))
            self.port = probe.getsockname()[1]
        (self._data / "pg_hba.conf").write_text("host all all samenet scram-sha-256\n")
        self.start()

    def url(self, database: str = "postgres", password: str = QUOTED) -> str:
        return f"postgresql://sweep:{password}@{self.host}:{self.port}/{database}"

    def connect(self, database: str = "postgres") -> Any:
        """Return a connection past the product, each statement its own transaction."""
        import psycopg

        where = {"host": self.host, "port": self.port, "user": "sweep", "password": PASSWORD}
        return psycopg.connect(**where, dbname=database, autocommit=True)

    def make_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url(name)

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses={self.host} -c unix_socket_directories="
        self._do("pg_ctl", "-w", "-l", self._log, "-o", options, "start")

    def stop(self, mode: str = "immediate") -> None:
        self._do("pg_ctl", "-w", "-m", mode, "stop")

    def _do(self, program: str, *arguments: object) -> None:
        command = [*self._as_user, self._programs / program, "-D", self._data, *arguments]
        done = subprocess.run(
            [str(part) for part in command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
            cwd="/",
        )
        if done.returncode:
            log = self._log.read_text()[-2000:] if self._log.exists() else ""
            raise RuntimeError(f"{program} ended with {done.returncode}\n{log}")


def _as_other_user(folder: Path) -> list[str]:
    """Give a folder to another user; return the command that runs a program as that user.

    The program may pass file modes, because the folder can lie below one that is root's alone.
    """
    shutil.chown(folder, OTHER_USER)
    rights = [f"--{kind}-caps=+dac_override" for kind in ("inh", "ambient")]
    return ["setpriv", f"--reuid={OTHER_USER}", "--clear-groups", *rights, "--"]


@contextlib.contextmanager
def running_server(host: str = "127.0.0.1") -> Iterator[Server]:
    """Start a server; skip the test where there is no PostgreSQL or no psycopg."""
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    programs = server_programs()
    if programs is None:
        pytest.skip("PostgreSQL is not installed")
    with tempfile.TemporaryDirectory(prefix="sweep-postgres-") as folder:
        server = Server(Path(folder), programs, host)
        try:
            yield server
        finally:
            server.stop()
