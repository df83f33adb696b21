"""Check whether a configuration fits into this machine's memory.

The task estimates the memory of a process. The limit is the machine's physical memory plus swap, or the limit
of this process's control group. Only configurations that cannot fit are refused.
"""

import math
import os
from collections.abc import Iterator
from pathlib import Path

from sweep.errors import ConfigError, TooLargeError
from sweep.task import AnyTask, Config, Data, memory


def machine_bytes(proc: Path = Path("/proc"), groups: Path = Path("/sys/fs/cgroup")) -> float:
    """Return the memory available to processes of this machine, including swap; infinite if unknown."""
    limits = list(_group_limits(proc, groups))
    try:
        lines = (line.split() for line in (proc / "meminfo").read_text().splitlines())
        sizes = {words[0].rstrip(":"): int(words[1]) * 1024 for words in lines if len(words) > 1}
        limits.append(sizes["MemTotal"] + sizes.get("SwapTotal", 0))
    except (OSError, ValueError, KeyError):
        if "SC_PHYS_PAGES" in os.sysconf_names:
            limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((limit for limit in limits if limit > 0), default=math.inf)


def _group_limits(proc: Path, groups: Path) -> Iterator[int]:
    """Yield the memory limits of this process's control group and its parents, versions 2 and 1."""
    try:
        entries = [line.split(":", 2) for line in (proc / "self/cgroup").read_text().splitlines()]
    except OSError:
        return
    for _, controllers, path in (entry for entry in entries if len(entry) == 3):
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (groups / "memory", "memory.limit_in_bytes") if controllers else (groups, "memory.max")
        own = root / path.strip("/")
        for folder in (own, *own.parents):
            if folder.is_relative_to(root):
                yield from _number_in(folder / name)


def _number_in(path: Path) -> Iterator[int]:
    """Yield the number in a file, if the file exists and contains one; ``max`` is not a number."""
    try:
        yield int(path.read_text())
    except (OSError, ValueError):
        return


def check_fits(task: AnyTask, config: Config, data: Data, *, device: str) -> None:
    """Refuse a configuration that cannot fit into this machine's memory.

    Raises:
        TooLargeError: If the configuration needs more.
    """
    needed, there = memory(task, config, data, device=device), machine_bytes()
    if needed is not None and needed > there:
        raise TooLargeError(
            f"a worker needs about {gigabytes(needed)} of memory, this machine has {gigabytes(there)}; "
            f"lower {what_to_lower(task, config, data, device)}"
        )


def what_to_lower(task: AnyTask, config: Config, data: Data, device: str) -> str:
    """Return the hyperparameter that lowers the memory most if it is halved, with its value."""
    saved = {}
    for name, value in config.to_dict().items():
        if type(value) is int and name in task.field_types():
            try:
                smaller = config.replace(**{name: value // 2})
            except ConfigError:
                continue
            saved[name] = -(memory(task, smaller, data, device=device) or 0)
    driver = max(saved, key=saved.__getitem__)
    return f"{driver}, which is {config.to_dict()[driver]:,}"


def gigabytes(count: float) -> str:
    """Return a number of bytes in gigabytes.

    Examples:
        >>> gigabytes(1_234_567_890), gigabytes(4_150_000_000_000)
        ('1.2 GB', '4,150.0 GB')
    """
    return f"{count / 1e9:,.1f} GB"
