"""A command is ended with all that it started, whatever its habits, and its end is reported as it was."""

import gc
import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sweep.errors import MachineError, NotFoundError
from sweep.trainers.program.process import supervised, supervisor
from sweep.trainers.program.process.supervised import Exit, Supervised
from tests.support.programs import SOON_S, all_ended, pids, script, supervise
from tests.support.sweep_command import REPOSITORY, children, is_alive, kill, wait_until


def ended(process: Supervised) -> Exit:
    """Wait for its end."""
    end = process.wait(SOON_S)
    assert end is not None
    return end


@pytest.mark.parametrize(
    ("text", "code", "number"),
    [
        ("", 0, None),
        ("sys.exit(3)", 3, None),
        ("raise ValueError", 1, None),
        ("os._exit(255)", 255, None),
        ("os.abort()", None, signal.SIGABRT),
        ("os.kill(os.getpid(), 9)", None, signal.SIGKILL),
        ("import ctypes; ctypes.string_at(0)", None, signal.SIGSEGV),
    ],
)
def test_the_end_is_the_scripts_own(tmp_path: Path, text: str, code: int | None, number: int | None) -> None:
    """An exit status stays one, and a signal is named."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    end = ended(supervise(tmp_path, script(tmp_path, text)))
    assert (end.code, end.signal, end.left, end.alive) == (code, number, 0, 0)


def test_the_end_is_not_waited_for_unless_asked(tmp_path: Path) -> None:
    """exit() is None while it runs, wait() after its timeout; later both return the same."""
    process = supervise(
        tmp_path, script(tmp_path, "tell()\nwhile not os.path.exists('go'): time.sleep(0.01)")
    )
    assert pids(tmp_path, 1) == [process.pid]
    assert process.exit() is None
    assert process.wait(0.05) is None
    (tmp_path / "go").touch()
    end = ended(process)
    assert process.exit() == process.wait(1) == process.stop() == end
    assert end.code == 0


IGNORE = "signal.signal(15, signal.SIG_IGN)\n"
SLEEP = "tell(); time.sleep(600)\n"
HABITS = {
    "hangs": (SLEEP, 1),
    "ignores TERM": (IGNORE + SLEEP, 1),
    "has a child": ("tell()\nos.fork()\n" + SLEEP, 3),
    "has a child that ignores TERM": (f"if not os.fork(): {IGNORE}{SLEEP}", 2),
    "has a child in a session of its own": (f"if not os.fork(): os.setsid(); {IGNORE}{SLEEP}", 2),
    "daemonises and goes on": (
        f"if not os.fork():\n    os.setsid()\n    if os.fork(): os._exit(0)\n    {SLEEP}{SLEEP}",
        2,
    ),
    "has stopped": ("tell(); os.kill(os.getpid(), signal.SIGSTOP)", 1),
    "starts processes all the time": (
        "tell()\nwhile True:\n"
        "    subprocess.Popen(['sleep', '600'], start_new_session=True); time.sleep(0.02)",
        1,
    ),
    "forks and ends for ever": (
        "tell()\nif os.fork(): time.sleep(600)\n"
        "while True:\n    time.sleep(0.005)\n    if os.fork(): os._exit(0)",
        1,
    ),
    "starts a child when it is asked to end": (
        "def end(*_): subprocess.Popen(['sleep', '600'], start_new_session=True); sys.exit(0)\n"
        f"signal.signal(15, end); {SLEEP}",
        1,
    ),
}


@pytest.mark.parametrize("habit", HABITS)
@pytest.mark.parametrize("way", ["stop", "worker dies", "supervisor dies"])
def test_nothing_lives_after_the_end(tmp_path: Path, habit: str, way: str) -> None:
    """If the command is stopped, or its worker or supervisor is killed, it ends with all it started."""
    text, n = HABITS[habit]
    argv = script(tmp_path, text)
    if way == "worker dies":
        worker = start_worker(tmp_path, argv)
        told = pids(tmp_path, n)
        mark = mark_of(told[0])
        supervisors = children(worker.pid)
        kill(worker.pid)
        worker.wait()
        assert all_ended([*told, *supervisors])
    else:
        process = supervise(tmp_path, argv, grace=0.5)
        told = pids(tmp_path, n)
        mark = mark_of(process.pid)
        if way == "supervisor dies":
            kill(parent(process.pid))
        end = process.stop() if way == "stop" else ended(process)
        assert end.alive == 0
        assert all_ended(told)  # what was killed may take a moment to vanish
        assert (end.code, end.signal) == (None, None) if way == "supervisor dies" else end.left == 0
    assert marked(mark) == []


def start_worker(folder: Path, argv: list[str]) -> subprocess.Popen[bytes]:
    """Start a process that supervises the command and then hangs."""
    text = (
        "import sys, time; from tests.support.programs import supervise; from pathlib import Path\n"
        "process = supervise(Path(sys.argv[1]), sys.argv[2:], grace=0.5); time.sleep(600)"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return subprocess.Popen([sys.executable, "-c", text, str(folder), *argv], env=environment)


def mark_of(pid: int) -> bytes:
    """Return the mark in the environment of a process."""
    entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    return next(entry for entry in entries if entry.startswith(b"SWEEP_SUPERVISED="))


def marked(mark: bytes) -> list[int]:
    """Return the living processes with a mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in path.read_bytes().split(b"\0"):
                found.append(int(path.parent.name))
        except OSError:
            continue
    return [pid for pid in found if is_alive(pid)]


def parent(pid: int) -> int:
    """Return a process's parent."""
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def test_the_command_dies_with_supervisor_and_worker(tmp_path: Path) -> None:
    """If both are killed at once, the kernel kills the command itself; nobody is left to do it."""
    worker = start_worker(tmp_path, script(tmp_path, IGNORE + SLEEP))
    told = pids(tmp_path, 1)
    os.kill(worker.pid, signal.SIGSTOP)  # it cannot notice
    kill(parent(told[0]))
    assert all_ended(told)
    kill(worker.pid)
    worker.wait()


def test_the_grace_is_kept_and_what_is_written_in_it_survives(tmp_path: Path) -> None:
    """After TERM a script has its time to write a checkpoint; its exit status is its own."""
    process = supervise(
        tmp_path,
        script(
            tmp_path,
            "def end(*_):\n    time.sleep(1); open('checkpoint', 'w').write('whole'); sys.exit(7)\n"
            "signal.signal(15, end); tell(); time.sleep(600)",
        ),
        grace=SOON_S,
    )
    pids(tmp_path, 1)
    started = time.monotonic()
    assert process.stop().code == 7
    assert 1 <= time.monotonic() - started < SOON_S / 2
    assert (tmp_path / "checkpoint").read_text() == "whole"


def test_kill_comes_after_the_grace(tmp_path: Path) -> None:
    """What ignores TERM runs for the grace, and not much longer."""
    process = supervise(tmp_path, script(tmp_path, HABITS["ignores TERM"][0]), grace=1)
    pids(tmp_path, 1)
    started = time.monotonic()
    assert process.stop().signal == signal.SIGKILL
    assert 1 <= time.monotonic() - started < SOON_S


def test_a_script_that_catches_the_interrupt_ends_as_it_says(tmp_path: Path) -> None:
    """Exit 0 after TERM is reported as exit 0; whether it counts is not decided here."""
    text = (
        "def end(*_): raise KeyboardInterrupt\nsignal.signal(15, end); tell()\n"
        "try: time.sleep(600)\nexcept KeyboardInterrupt: sys.exit(0)"
    )
    process = supervise(tmp_path, script(tmp_path, text))
    pids(tmp_path, 1)
    assert process.stop().code == 0


@pytest.mark.parametrize("session", [False, True])
def test_what_outlives_exit_0_is_ended_and_counted(tmp_path: Path, session: bool) -> None:
    """Two children that the script left; one ignores TERM."""
    text = (
        "for ignores in (False, True):\n    if not os.fork():\n"
        f"        if {session}: os.setsid()\n"
        "        if ignores: signal.signal(15, signal.SIG_IGN)\n"
        "        tell(); time.sleep(600)\n"
        "while not os.path.exists('pids') or len(open('pids').readlines()) < 2: time.sleep(0.01)"
    )
    process = supervise(tmp_path, script(tmp_path, text), grace=0.3)
    end = ended(process)
    assert (end.code, end.left, end.alive) == (0, 2, 0)
    assert not any(map(is_alive, pids(tmp_path, 2)))


def test_a_helper_that_ends_with_the_command_is_not_counted(tmp_path: Path) -> None:
    """A child that ends when its pipe closes, as multiprocessing's helpers do, has not been left behind."""
    text = (
        "reads, writes = os.pipe()\nif not os.fork():\n"
        "    os.close(writes); tell(); os.read(reads, 1); time.sleep(0.05); os._exit(0)\n"
        "while not os.path.exists('pids'): time.sleep(0.01)"
    )
    assert ended(supervise(tmp_path, script(tmp_path, text))).left == 0


def test_a_pipe_that_a_daemon_holds_is_closed_at_the_end(tmp_path: Path) -> None:
    """The supervisor holds no stdout, and what does is ended: the reader meets the end of the stream."""
    reads, writes = os.pipe()
    text = "if not os.fork():\n    os.setsid(); tell(); time.sleep(600)\nprint('done', flush=True)"
    process = supervise(tmp_path, script(tmp_path, text), grace=0.3, output=writes)
    os.close(writes)
    ended(process)
    with open(reads, "rb") as stream:
        assert stream.read() == b"done\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_to_the_supervisor_stops_the_command(tmp_path: Path, number: int) -> None:
    """As ``kill`` or a shutdown sends it; the command is asked to end, and its end is reported."""
    process = supervise(tmp_path, script(tmp_path, HABITS["has a child"][0]))
    told = pids(tmp_path, 3)
    os.kill(parent(process.pid), number)
    assert ended(process).signal == signal.SIGTERM
    assert not any(map(is_alive, told))


def test_the_command_has_a_session_default_signals_and_no_other_descriptors(tmp_path: Path) -> None:
    """No terminal's Ctrl-C reaches it, and it inherits nothing but what it is given."""
    reads, given = os.pipe()
    text = (
        f"fds = sorted(int(fd) for fd in os.listdir('/proc/self/fd'))\nos.write({given}, b'hello')\n"
        "import json; json.dump([fds, os.getsid(0) == os.getpgid(0) == os.getpid(), sys.stdin.read(), "
        "open('/proc/self/status').read()], open('seen', 'w'))"
    )
    with open(os.devnull, "w") as null:
        fd = null.fileno()
        env = {"A": "é b\n$(c)", "PATH": os.environ["PATH"]}
        argv = [*script(tmp_path, text)]
        process = Supervised(argv, cwd=tmp_path, env=env, grace=1, stdout=fd, stderr=fd, pass_fds=[given])
    os.close(given)
    assert ended(process).code == 0
    with open(reads, "rb") as stream:
        assert stream.read() == b"hello"  # the supervisor does not hold it either
    fds, is_leader, stdin, status = json.loads((tmp_path / "seen").read_text())
    assert is_leader
    assert stdin == ""
    assert len(set(fds) - {0, 1, 2, given}) == 1  # listdir's own
    masks = dict(line.split(":\t") for line in status.splitlines() if line.startswith("Sig"))
    assert int(masks["SigBlk"], 16) == 0
    own = 1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1  # Python's own
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):  # as nohup and a shell's & have them
        own |= (signal.getsignal(number) == signal.SIG_IGN) << number - 1
    assert int(masks["SigIgn"], 16) & (1 << 31) - 1 & ~own == 0, "of the standard signals"


def test_arguments_environment_and_stdin_arrive_as_they_are(tmp_path: Path) -> None:
    """Blanks, quotes, newlines, bytes that are no UTF-8, nothing, and 100 kB; no shell reads them."""
    odd = ["", " a  b ", "$(touch x); `y`", "'\"\\", "é\n", os.fsdecode(b"\xff\xfe"), "x" * 100_000]
    text = (
        "open('argv', 'wb').write(b'\\0'.join(map(os.fsencode, sys.argv[1:])))\n"
        "open('a', 'wb').write(os.environb[b'A'])\nopen('stdin', 'w').write(sys.stdin.read())"
    )
    (tmp_path / "input").write_text("typed")
    with open(tmp_path / "input") as stdin, open(os.devnull, "w") as null:
        fd = null.fileno()
        argv = [*script(tmp_path, text), *odd]
        env = {"A": odd[3] + odd[4] + odd[5]}
        process = Supervised(argv, cwd=tmp_path, env=env, grace=1, stdin=stdin.fileno(), stdout=fd, stderr=fd)
    assert ended(process).code == 0
    assert (tmp_path / "argv").read_bytes() == b"\0".join(map(os.fsencode, odd))
    assert (tmp_path / "a").read_bytes() == os.fsencode(env["A"])
    assert (tmp_path / "stdin").read_text() == "typed"
    assert not (tmp_path / "x").exists()


def test_the_peak_memory_is_the_largest_process(tmp_path: Path) -> None:
    """A child that fills 200 MB counts, and 9 MB of a supervisor do not hide it."""
    text = "if not os.fork():\n    len(b'x' * 200_000_000)\n    os._exit(0)\nos.wait()"
    peak = ended(supervise(tmp_path, script(tmp_path, text))).peak_bytes
    assert peak is not None
    assert 200e6 < peak < 260e6


@pytest.mark.parametrize(
    ("argv", "cwd", "message"),
    [
        (["nonesuch"], ".", "command 'nonesuch' not found; searched /usr/bin:/bin"),
        (["./nonesuch"], ".", "command './nonesuch' not found in {folder}"),
        (
            ["./plain"],
            ".",
            "{folder}/plain cannot be executed: it is not executable; chmod +x it, or name its",
        ),
        (["./lost"], ".", "{folder}/lost cannot be executed: the interpreter in its #! line does not exist"),
        (
            ["./text"],
            ".",
            "{folder}/text cannot be executed: it is not a program; name its interpreter first",
        ),
        (["./."], ".", "{folder} cannot be executed"),
        (["true"], "nowhere", "'true' cannot start in {folder}/nowhere: No such file or directory"),
        (["true"], "plain", "'true' cannot start in {folder}/plain: Not a directory"),
        (["true", "a\0b"], ".", "'true' cannot be started: an argument or variable has a NUL character"),
    ],
)
def test_what_cannot_be_started_is_said_in_one_line(
    tmp_path: Path, argv: list[str], cwd: str, message: str
) -> None:
    """Not found, not executable, no such folder."""
    for name, content, mode in [("plain", "", 0o600), ("lost", "#!/no/such\n", 0o700), ("text", "x", 0o700)]:
        (tmp_path / name).write_text(content)
        (tmp_path / name).chmod(mode)
    with pytest.raises(NotFoundError) as error:
        supervise(tmp_path / cwd, argv, env={"PATH": "/usr/bin:/bin"})
    assert str(error.value).startswith(message.format(folder=tmp_path))
    assert len(error.value.lines) == 1


def test_too_many_arguments_are_the_machines_limit(tmp_path: Path) -> None:
    """3 MB in one argument: the kernel refuses, and says why."""
    with pytest.raises(MachineError, match="'true' cannot be started: Argument list too long"):
        supervise(tmp_path, ["true", "x" * 3_000_000])


def test_no_descriptor_and_no_process_is_kept(tmp_path: Path) -> None:
    """After ends of every kind this process has the descriptors and children that it had."""
    gc.collect()
    before = set(os.listdir("/proc/self/fd")), children(os.getpid())
    for _ in range(3):
        ended(supervise(tmp_path, ["true"]))
        supervise(tmp_path, ["sleep", "600"]).stop()
        with pytest.raises(NotFoundError):
            supervise(tmp_path, ["nonesuch"])
        with supervise(tmp_path, ["sleep", "600"]) as process:
            kill(parent(process.pid))
    assert (set(os.listdir("/proc/self/fd")), children(os.getpid())) == before


def test_each_process_is_asked_once(tmp_path: Path) -> None:
    """A second TERM would disturb the end that the first one began."""
    text = (
        "signal.signal(15, lambda *_: print('asked', file=open('asked', 'a')))\n"
        "if os.fork(): tell(); signal.signal(15, signal.SIG_DFL); time.sleep(600)\n"
        "tell()\nwhile not os.path.exists('asked'): time.sleep(0.01)\n"
        "time.sleep(0.7)"
    )
    process = supervise(tmp_path, script(tmp_path, text), grace=SOON_S)
    told = pids(tmp_path, 2)
    assert process.stop().signal == signal.SIGTERM
    assert not any(map(is_alive, told))
    assert (tmp_path / "asked").read_text() == "asked\n"


def test_a_supervisor_that_hangs_is_killed_with_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if it had been killed; stop() does not wait for ever."""
    monkeypatch.setattr(supervised, "_PATIENCE_S", 0.3)
    process = supervise(
        tmp_path, script(tmp_path, HABITS["has a child in a session of its own"][0]), grace=0.2
    )
    told = pids(tmp_path, 2)
    os.kill(parent(process.pid), signal.SIGSTOP)
    assert process.stop() == Exit(code=None, signal=None)
    assert not any(map(is_alive, told))


@pytest.fixture
def as_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A supervisor that does what it would on another system than Linux."""
    line = 'IS_LINUX = sys.platform.startswith("linux")'
    text = Path(supervisor.__file__).read_text()
    assert line in text
    (tmp_path / "elsewhere.py").write_text(text.replace(line, "IS_LINUX = False"))
    monkeypatch.setattr(supervisor, "__file__", str(tmp_path / "elsewhere.py"))


@pytest.mark.usefixtures("as_elsewhere")
@pytest.mark.parametrize("habit", ["hangs", "ignores TERM", "has a child", "has a child that ignores TERM"])
@pytest.mark.parametrize("way", ["stop", "signal"])
def test_without_a_subreaper_the_group_is_ended(tmp_path: Path, habit: str, way: str) -> None:
    """What other systems than Linux can do; a process in a session of its own would escape there."""
    process = supervise(tmp_path, script(tmp_path, HABITS[habit][0]), grace=0.3)
    told = pids(tmp_path, HABITS[habit][1])
    if way == "stop":
        assert process.stop().alive == 0
    else:
        os.kill(parent(process.pid), signal.SIGTERM)
        assert ended(process).alive == 0
    assert all_ended(told)


@pytest.mark.usefixtures("as_elsewhere")
def test_without_a_subreaper_what_is_left_in_the_group_is_counted(tmp_path: Path) -> None:
    """As one, since the group is all that is known."""
    code = "if not os.fork(): tell(); time.sleep(600)\nwhile not os.path.exists('pids'): time.sleep(0.01)"
    end = ended(supervise(tmp_path, script(tmp_path, code), grace=SOON_S))
    assert (end.code, end.left) == (0, 1)
    assert all_ended(pids(tmp_path, 1))


def test_stopping_one_command_leaves_another_alone(tmp_path: Path) -> None:
    """Each has a supervisor and a control pipe of its own."""
    first = supervise(tmp_path, ["sleep", "600"])
    second = supervise(tmp_path, ["sleep", "600"])
    assert first.stop().signal == signal.SIGTERM
    assert second.exit() is None
    assert is_alive(second.pid)
    second.stop()
    assert wait_until(lambda: not is_alive(second.pid), SOON_S)
