"""What the tests share: word lists, the makemore names, and one torch thread."""

import gc
import itertools
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import torch

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or each of hundreds of processes compiles every module
os.environ["NUMBA_ENABLE_CUDASIM"] = "1"  # before numba is loaded: kernels run in its simulator, GPU or not

from sweep.trainers.mlp.words.corpus import Corpus, load_corpus
from tests.support import warm_python
from tests.support.small_study import _own_ledger, small, trained

__all__ = ["_own_ledger", "small", "trained"]  # fixtures of every test

gc.disable()  # until all tests are collected, for nothing of what that makes is garbage

REPOSITORY = Path(__file__).resolve().parents[1]

WORDS = """
anna bob cara dan eva finn gina hugo ida jan kim lea max nora otto pia quin rosa sam tom
ula vera willi xena yves zoe abe bea carl dora emil fay gus hal ines jo karl lou mia ned
"""

hypothesis.settings.register_profile(
    "patient", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("patient")  # how fast a busy machine is says nothing of the product

warm_python.install()
torch.set_num_threads(1)  # the numbers of a run depend on the thread count


LONGEST = ("test_pools.py", "test_shared_study.py", "test_server.py", "test_interruption.py")
"""Modules whose tests take longest, so that none of them is what all other processes wait for."""


@pytest.hookimpl(optionalhook=True)  # pytest-xdist's
def pytest_xdist_auto_num_workers() -> int:
    """Return four test processes more than there are cores, because most of a test's time is waiting."""
    return len(os.sched_getaffinity(0)) + 4 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 4


_warm = pytest.StashKey[subprocess.Popen[str]]()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Load the libraries and the compiled engine once, in a process from which commands are forked."""
    if session.config.getoption("numprocesses", None):
        session.config.stash[_warm] = warm_python.start_server()
        warm_python.install()


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End that process; after the test processes, which pytest-xdist ends."""
    if server := session.config.stash.get(_warm, None):
        warm_python.stop(server)


def pytest_collection_finish() -> None:
    """Keep the collector from looking through all modules and tests again and again."""
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _signals_reach_what_tests_start() -> None:
    """Let signals end the processes that tests start, even if the tests run under ``nohup``.

    A process inherits that a signal is ignored. It does not inherit a handler.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


@pytest.fixture
def cold_starts() -> Iterator[None]:
    """Start the product's processes as they are, since the start itself is tested; see ``warm_python``."""
    with warm_python.cold():
        yield


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin equal parts of the list with a long module each; each test process begins with one part."""
    parts = max(len(LONGEST), int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")))
    others = iter([item for item in items if item.path.name not in LONGEST])
    spread: list[pytest.Item] = []
    for place, name in enumerate(LONGEST, 1):
        spread += [item for item in items if item.path.name == name]
        spread += itertools.islice(others, max(0, len(items) * place // parts - len(spread)))
    items[:] = [*spread, *others]


@pytest.fixture(scope="session")
def makemore() -> Path:
    """Path of the makemore names, which the facts of the field are about."""
    default = REPOSITORY.parent / "shared" / "data" / "makemore_names.txt"
    path = Path(os.environ.get("SWEEP_MAKEMORE_NAMES", default))
    if not path.is_file():
        pytest.skip("the makemore names are not here; set SWEEP_MAKEMORE_NAMES to the path of names.txt")
    return path


@pytest.fixture(scope="session")
def names_file() -> Path:
    """Path of the word list that travels with the project."""
    return REPOSITORY / "data" / "names.txt"


@pytest.fixture
def write_words(tmp_path: Path) -> Callable[..., Path]:
    """Function that writes words (or raw bytes) to a file of its own and returns its path."""

    def write(words: list[str] | bytes, name: str = "words.txt") -> Path:
        path = tmp_path / name
        path.write_bytes(words if isinstance(words, bytes) else ("\n".join(words) + "\n").encode())
        return path

    return write


@pytest.fixture
def words() -> list[str]:
    """Forty short words over a to z, all distinct."""
    return WORDS.split()


@pytest.fixture
def words_file(words: list[str], write_words: Callable[..., Path]) -> Path:
    """The forty words as a file."""
    return write_words(words)


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """The forty words as a corpus; it never changes, so one serves all tests."""
    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_text("\n".join(WORDS.split()) + "\n")
    return load_corpus(path)
