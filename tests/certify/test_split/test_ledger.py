"""The user's ledger of test looks: nothing that was looked at is forgotten."""

import json
import resource
import signal
import stat
from pathlib import Path

import pytest

from sweep.certify.test_split.ledger import (
    append_to_ledger,
    ledger_lock,
    ledger_path,
    read_ledger,
    sketch_key,
)
from sweep.errors import MachineError, StorageError
from sweep.storage.looks.stored_looks import TestLook
from sweep.storage.looks.unit_sketch import UnitSketch


@pytest.fixture(autouse=True)
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A ledger of the test's own."""
    path = tmp_path / "state" / "ledger.jsonl"
    monkeypatch.setenv("SWEEP_LEDGER", str(path))
    return path


def a_look(look_id: str = "1" * 32, test_loss: float | None = None) -> TestLook:
    return TestLook(
        look_id=look_id,
        started="2026-05-04T10:00:00+00:00",
        test_sha256="a" * 64,
        data_sha256="b" * 64,
        config_sha256="c" * 64,
        study="names",
        trial=7,
        dev_loss=2.25,
        test_loss=test_loss,
        why="zoë said \u2028 so",
        version="0.1.0",
        sketch=UnitSketch.of(["anna", "bob"], b"k" * 32),
    )


def test_no_ledger_is_no_look(ledger: Path) -> None:
    """Reading makes no file."""
    assert ledger_path() == ledger
    assert read_ledger() == []
    assert not ledger.parent.exists()


def test_a_look_comes_back_as_it_was(ledger: Path) -> None:
    """Every field survives, also a line separator in the reason; only the user may read the file."""
    append_to_ledger(a_look())
    assert read_ledger() == [a_look()]
    assert stat.S_IMODE(ledger.stat().st_mode) == 0o600


def test_a_later_line_completes_an_earlier_one(ledger: Path) -> None:
    """The loss comes with a second line of the same id; other looks stay apart, in their order."""
    append_to_ledger(a_look())
    append_to_ledger(a_look("2" * 32))
    append_to_ledger(a_look(test_loss=2.5))
    assert read_ledger() == [a_look(test_loss=2.5), a_look("2" * 32)]
    assert len(ledger.read_text().splitlines()) == 3


def changed(**values: object) -> bytes:
    append_to_ledger(a_look())
    line = json.loads(ledger_path().read_text())
    ledger_path().unlink()
    return json.dumps({**line, **values}).encode()


@pytest.mark.parametrize(
    "line",
    [
        lambda: b"",
        lambda: b"{",
        lambda: b"3",
        lambda: b"[]",
        lambda: b"{}",
        lambda: b"\xff\xfe",
        lambda: changed()[:-30],
        lambda: changed()[:30] + changed(),
        lambda: changed(test_sha256=None),
        lambda: changed(started="yesterday"),
        lambda: changed(test_loss="low"),
        lambda: changed(colour="red"),
        lambda: changed(sketch=0),
        lambda: changed(sketch={}),
        lambda: changed(sketch={"key_id": "0" * 16, "words": 3, "lowest": "AAAAAAAAAAA="}),
        lambda: changed(sketch={"key_id": "0" * 16, "words": 1, "lowest": "AAAAAAAAAA"}),
        lambda: changed(sketch={"key_id": "x", "words": 1, "lowest": "AAAAAAAAAAA="}),
        lambda: changed(sketch={"key_id": "0" * 16, "words": None, "lowest": "AAAAAAAAAAA="}),
    ],
)
def test_a_damaged_line_is_an_error(line: object, ledger: Path) -> None:
    """A line that is no record is told with its number, wherever it stands; it is never skipped."""
    assert callable(line)
    damaged = line()
    append_to_ledger(a_look())
    ledger.write_bytes(ledger.read_bytes() + damaged + b"\n")
    append_to_ledger(a_look("2" * 32))
    with pytest.raises(
        StorageError, match=r"ledger\.jsonl, line 2: not a record of a test look; restore the file"
    ):
        read_ledger()


def test_a_full_disk_leaves_no_half_line(ledger: Path) -> None:
    """A look that does not fit is not recorded, and what was recorded can still be read."""
    append_to_ledger(a_look())
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (ledger.stat().st_size + 100, limits[1]))
        with pytest.raises(MachineError, match=r"ledger\.jsonl: "):
            append_to_ledger(a_look("2" * 32))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert read_ledger() == [a_look()]


def test_a_ledger_that_cannot_be_written_is_told(ledger: Path) -> None:
    """Where its folder is a file, the look is not recorded, and the line says where."""
    ledger.parent.write_text("")
    with pytest.raises(MachineError, match="state"):
        append_to_ledger(a_look())


def test_a_ledger_that_is_a_folder_is_told(ledger: Path) -> None:
    """A folder in its place is a fault of the machine, not an empty ledger."""
    ledger.mkdir(parents=True)
    with pytest.raises(MachineError, match="Is a directory"):
        read_ledger()


def test_a_line_of_an_earlier_release_is_read(ledger: Path) -> None:
    """It has no sketch, and is a look all the same."""
    append_to_ledger(a_look())
    line = json.loads(ledger.read_text())
    del line["sketch"]
    ledger.write_text(json.dumps(line) + "\n")
    (read,) = read_ledger()
    assert read.sketch is None
    assert read.look_id == a_look().look_id


def test_the_key_is_made_once_and_only_its_user_can_read_it(ledger: Path) -> None:
    """32 random bytes beside the ledger, the same at each call; nothing else is left there."""
    with ledger_lock():
        key = sketch_key()
        assert sketch_key() == key
    path = ledger.with_name("ledger.jsonl.key")
    assert path.read_bytes() == key
    assert len(key) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {each.name for each in ledger.parent.iterdir()} <= {path.name, "ledger.jsonl.lock"}
    path.unlink()
    with ledger_lock():
        assert sketch_key() != key


@pytest.mark.parametrize("damaged", [b"", b"short", b"k" * 33])
def test_a_damaged_key_is_an_error_and_is_kept(damaged: bytes, ledger: Path) -> None:
    """It is never replaced silently, since older looks could then no longer be compared."""
    path = ledger.with_name("ledger.jsonl.key")
    path.parent.mkdir()
    path.write_bytes(damaged)
    with (
        ledger_lock(),
        pytest.raises(StorageError, match=rf"key has 32 bytes, this has {len(damaged)}; restore"),
    ):
        sketch_key()
    assert path.read_bytes() == damaged


def test_a_key_that_cannot_be_written_is_an_error_of_the_machine(ledger: Path) -> None:
    """A folder in its place is named."""
    ledger.with_name("ledger.jsonl.key").mkdir(parents=True)
    with ledger_lock(), pytest.raises(MachineError, match=r"ledger\.jsonl\.key"):
        sketch_key()


def test_without_the_variable_it_is_in_the_user_state_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger is the user's, whatever the working directory."""
    monkeypatch.delenv("SWEEP_LEDGER")
    assert ledger_path().is_absolute()
    assert ledger_path().name == "test-looks.jsonl"
    assert "sweep" in ledger_path().parts
