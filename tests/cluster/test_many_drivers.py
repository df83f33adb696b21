"""Four drivers with two workers each, on hosts of their own, share a study; the server falls three times."""

import contextlib
import ctypes
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.postgres_server import Server, running_server
from tests.support.shared_runs import check_study, count_ended, ended_at_last, start_driver
from tests.support.sweep_command import kill

TRIALS = 200
HUB = "10.97.61.1"
_NEW_NETWORK = 0x40000000


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@contextlib.contextmanager
def hosts(n: int) -> Iterator[list[list[str]]]:
    """Enter a network of its own, joined to ``n`` others; give the command that runs another one in each."""
    if os.geteuid() or shutil.which("ip") is None:
        yield [[] for _ in range(n)]
        return
    names = [f"sweep{place}" for place in range(n)]
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.ExitStack() as stack:
        ip("netns", "add", "sweephub")
        stack.callback(ip, "netns", "delete", "sweephub")
        for name in names:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
        home = stack.enter_context(open("/proc/self/ns/net"))
        hub = stack.enter_context(open("/run/netns/sweephub"))
        assert libc.setns(hub.fileno(), _NEW_NETWORK) == 0
        stack.callback(libc.setns, home.fileno(), _NEW_NETWORK)
        ip("link", "set", "lo", "up")
        ip("link", "add", "bridge", "type", "bridge")
        ip("address", "add", f"{HUB}/24", "dev", "bridge")
        ip("link", "set", "bridge", "up")
        for place, name in enumerate(names):
            ip("link", "add", f"to{place}", "type", "veth", "peer", "name", "out", "netns", name)
            ip("link", "set", f"to{place}", "master", "bridge", "up")
            for command in (
                ["address", "add", f"10.97.61.{10 + place}/24", "dev", "out"],
                ["link", "set", "out", "up"],
            ):
                ip("netns", "exec", name, "ip", *command)
        yield [
            ["ip", "netns", "exec", name, "unshare", "--uts", "sh", "-c", f'hostname {name}; exec "$@"', "sh"]
            for name in names
        ]


def test_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    """200 trials end once each, though the server is stopped three times and a driver killed."""
    tmp_path.chmod(0o777)
    with hosts(4) as places, running_server(HUB if places[0] else "127.0.0.1") as server:
        url = server.make_database("shared")
        settings = {"trials": TRIALS, "workers": 2, "lease_s": 5}
        drivers = [start_driver(url, tmp_path, inside=place, **settings) for place in places]
        with ended_at_last(drivers):
            for mark in (30, 60, 90):
                reach(server, mark)
                server.stop("immediate")
                time.sleep(1)
                server.start()
            reach(server, 110)
            kill(drivers[0].pid)
            outcomes = [driver.communicate(timeout=300) for driver in drivers]
        assert [driver.returncode for driver in drivers] == [-9, 0, 0, 0], outcomes
        check_study(server, "shared", tmp_path, TRIALS)
        ended = [int(number) for stdout, _ in outcomes for number in stdout.split()]
        assert len(ended) == len(set(ended))
        assert len(ended) >= TRIALS - 1, "what the killed driver ended it said, but for one"
        shares = [len(stdout.split()) for stdout, _ in outcomes]
        assert min(shares) > 0, shares


def reach(server: Server, n: int) -> None:
    end = time.monotonic() + 200
    while count_ended(server, "shared") < n:
        assert time.monotonic() < end
        time.sleep(0.1)
