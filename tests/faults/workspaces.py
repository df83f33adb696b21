"""What is swept in the campaign: real studies with segments of 0.2 s and more, each run once undisturbed."""

import atexit
import functools
import shutil
import tempfile
from pathlib import Path
from typing import Any

from tests.faults.invariants import outcome
from tests.faults.launcher import run
from tests.support.sweep_command import write_words

_SECTIONS = """
keep = 3
[data]
words = "words.txt"
[fixed]
embedding_dim = 8
num_steps = {steps}
"""

STUDIES: dict[str, tuple[str, int, str]] = {
    # Six segments of 0.2 to 0.5 s a trial.
    "asha": (
        'sampler = "tpe"\npruner = "asha"\ntrials = 5',
        100_000,
        "hidden_neurons = { low = 64, high = 96 }\nlearning_rate = { low = 0.01, high = 0.3, log = true }",
    ),
    "tpe": (
        'sampler = "tpe"\ntrials = 3',
        100_000,
        "hidden_neurons = { low = 64, high = 96 }\nlearning_rate = { low = 0.01, high = 0.3, log = true }",
    ),
    # The first trial is the best; most others are pruned after a segment of 0.1 s.
    "pruned": (
        'sampler = "grid"\npruner = "asha"',
        100_000,
        "learning_rate = { choices = [0.001, 0.002, 0.004, 0.008, 0.016, 0.03, 0.06, 0.1] }",
    ),
    # One segment of 0.2 to 0.3 s a trial.
    "grid": (
        'sampler = "grid"',
        1_900,
        "batch_size = { choices = [192, 224] }\nhidden_neurons = { choices = [160, 176, 192, 208] }",
    ),
    "random": (
        'sampler = "random"\ntrials = 8',
        1_900,
        "batch_size = { choices = [192, 224] }\nhidden_neurons = { low = 160, high = 220 }",
    ),
    # The same, long enough for a dozen kills at any time.
    "long-grid": (
        'sampler = "grid"',
        1_900,
        "batch_size = { choices = [192, 208, 224] }\n"
        "hidden_neurons = { choices = [160, 164, 168, 172, 176, 180, 184, 188] }",
    ),
    "long-random": (
        'sampler = "random"\ntrials = 24',
        1_900,
        "batch_size = { choices = [192, 224] }\nhidden_neurons = { low = 160, high = 220 }",
    ),
}
TRIALS = {"asha": 5, "tpe": 3, "pruned": 8, "grid": 8, "random": 8, "long-grid": 24, "long-random": 24}


def lay_out(folder: Path, study: str) -> Path:
    """Write the words and the study file into a new folder."""
    settings, steps, search = STUDIES[study]
    folder.mkdir(parents=True)
    write_words(folder / "words.txt")
    text = f'name = "{study}"\n{settings}\n{_SECTIONS.format(steps=steps)}[search]\n{search}\n'
    (folder / "study.toml").write_text(text)
    return folder


_TEMPORARY: list[Path] = []
"""Folders that ``trained`` made."""


@atexit.register
def remove_trained() -> None:
    """Remove what ``trained`` made. A process of pytest-xdist calls it itself: it ends without ``atexit``."""
    trained.cache_clear()
    while _TEMPORARY:
        shutil.rmtree(_TEMPORARY.pop(), ignore_errors=True)


@functools.cache
def trained(study: str, *, confirmed: bool = False) -> Path:
    """Return a folder in which a study was run to its end, made once; copy it before changing anything."""
    temporary = Path(tempfile.mkdtemp(prefix="sweep-faults-"))
    _TEMPORARY.append(temporary)
    folder = temporary / study
    if confirmed:
        shutil.copytree(trained(study), folder)
        end = run(folder, "confirm", study, *CONFIRM)
    else:
        end = run(lay_out(folder, study), "run", "study.toml", "--workers", "1")
    assert end.status == 0, end.err
    return folder


CONFIRM = ("--top", "2", "--seeds", "2", "--certify", "2", "--workers", "1")
CONFIRM_TRIALS = 2 * 2 + 2


@functools.cache
def undisturbed(study: str, *, confirmed: bool = False) -> list[Any]:
    """Return the outcome of a study, or of its confirmation, that nothing disturbed."""
    return outcome(trained(study, confirmed=confirmed), f"{study}/confirm" if confirmed else study)


def copy_of_trained(study: str, folder: Path) -> Path:
    """Return a new folder with the trained study in it."""
    shutil.copytree(trained(study), folder, ignore=shutil.ignore_patterns(".logs"))
    return folder
