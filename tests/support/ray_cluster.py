"""A cluster of Ray on this machine: a head that trains nothing, and nodes that can be killed."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent


class RayCluster:
    """A head with a node for each worker, each with processes of its own."""

    def __init__(self, nodes: int, client_port: int | None) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "include_dashboard": False, "ray_client_server_port": client_port}
        self._cluster = Cluster(initialize_head=True, head_node_args=head)
        self._nodes: list[Any] = [self._cluster.add_node(num_cpus=1) for _ in range(nodes)]

    @property
    def address(self) -> str:
        """For ``RAY_ADDRESS``."""
        return str(self._cluster.address)

    def kill_node(self) -> None:
        """End a node's processes with SIGKILL, its workers with it."""
        self._cluster.remove_node(self._nodes.pop(0), allow_graceful=False)

    def add_node(self) -> None:
        self._nodes.append(self._cluster.add_node(num_cpus=1))

    def kill_head(self) -> None:
        """End the process that knows the cluster."""
        self._cluster.head_node.kill_gcs_server()

    def shutdown(self) -> None:
        self._cluster.shutdown()


@contextlib.contextmanager
def running_cluster(nodes: int, client_port: int | None = None) -> Iterator[RayCluster]:
    """Run a cluster whose workers find the product and the toy.

    Its folder is one of its own: ``/tmp/ray`` may be another user's. The path is short, as those of sockets
    must be, whatever TMPDIR is.
    """
    with (
        tempfile.TemporaryDirectory(prefix="ray-", dir="/tmp", ignore_cleanup_errors=True) as folder,
        pytest.MonkeyPatch.context() as all_along,
    ):
        all_along.setenv("RAY_TMPDIR", folder)
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("PYTHONPATH", str(HERE.parents[1]))
            environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
            cluster = RayCluster(nodes, client_port)
        try:
            yield cluster
        finally:
            cluster.shutdown()
