"""Every command of README and docs: a reader's folder, small, and a page typed into it from top to bottom."""

import contextlib
import hashlib
import re
import shutil
import warnings
from pathlib import Path

import pytest

from sweep.cli import main
from tests.support.documented import ELSEWHERE, PAGES, REFUSED, REPOSITORY, blocks, run
from tests.support.once import made_once
from tests.support.plain_optuna import plain_storage

SMALL = {
    r"^trials = .*": "trials = 12",
    r"^num_steps = \{.*": "num_steps = { low = 20, high = 40, log = true }",
    r"^num_steps = \d.*": "num_steps = 40",
    r"^hidden_neurons = \{.*": "hidden_neurons = { low = 4, high = 16, log = true }",
    r"^embedding_dim = \{.*": "embedding_dim = { low = 2, high = 8, log = true }",
    r"^batch_size = \{.*": "batch_size = { choices = [8, 16] }",
}
"""Lines of study files, and what a reader without time writes in their place."""

TRAIN = """
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.01)
parser.add_argument("--hidden", type=int, default=16)
parser.add_argument("--use_bn", action="store_true")
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()
value = 0.9 + args.lr / 10 + args.seed % 7 / 1000
for epoch in range(1, args.epochs + 1):
    print(f"Epoch {epoch}/{args.epochs} - val_acc: {value:.4f}")
"""
"""A script as README describes one."""


LINES = {
    "digits.toml": """trials = 4
test_command = ["python", "train.py", "{args}", "--seed={seed}"]
""",
    "new.toml": "trials = 6\n",
}
"""Lines that the same reader adds to study files of scripts."""


@pytest.fixture
def project(tmp_path_factory: pytest.TempPathFactory, tmp_path: Path) -> Path:
    """A folder with what a reader of any page has: studies, words, stored studies, a script."""
    made = made_once(tmp_path_factory, "documented", make_project)
    return Path(shutil.copytree(made, tmp_path / "project"))


def make_project(folder: Path) -> None:
    """Lay out the project; train the studies that pages only read."""
    for part in ("studies/*.toml", "data/names.txt"):  # not what the owner of this checkout has stored there
        for path in REPOSITORY.glob(part):
            (copy := folder / path.relative_to(REPOSITORY)).parent.mkdir(exist_ok=True)
            shutil.copy(path, copy)
    (folder / "names.txt").write_text("".join(words()[300:600]))
    (folder / "train.py").write_text(TRAIN)
    cut(folder)
    store_guest(f"sqlite:///{folder}/study.db")
    with contextlib.chdir(folder):
        for name in ("names", "quick"):
            assert main(["run", name, "--workers", "1"]) == 0
        for trial, name in enumerate(("FROM.toml", "TO.toml", "FIRST.toml", "SECOND.toml")):
            assert main(["export", "names", "--trial", str(trial), "-o", name]) == 0


def words() -> list[str]:
    return (REPOSITORY / "data/names.txt").read_text("utf-8").splitlines(keepends=True)


def cut(folder: Path) -> None:
    """Make studies and words below a folder small, unless they are."""
    for path in folder.glob("**/studies/*.toml"):
        text = path.read_text("utf-8")
        for line, small in SMALL.items():
            text = re.sub(line, small, text, flags=re.MULTILINE)
        path.write_text(text, "utf-8")
    for name, lines in LINES.items():
        if (path := folder / name).is_file():
            path.write_text(lines + path.read_text("utf-8").replace(lines, ""), "utf-8")
    for path in folder.glob("**/data/names.txt"):
        path.write_text("".join(words()[:300]))


def store_guest(url: str) -> None:
    """Store a study that Optuna made."""
    import optuna
    from optuna.distributions import FloatDistribution, IntDistribution

    space = {"lr": FloatDistribution(1e-4, 0.1, log=True), "hidden": IntDistribution(16, 256, log=True)}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(storage=plain_storage(url), study_name="digits", direction="maximize")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # metric names are experimental
        study.set_metric_names(["val_acc"])
    for number in range(80):
        params = {"lr": 0.1 / (1 + number), "hidden": 16 + number}
        study.add_trial(
            optuna.trial.create_trial(params=params, distributions=space, value=0.9 + number / 1000)
        )


@pytest.mark.parametrize("page", [page for page in PAGES if page != "docs/your-own-trainer.md"])
def test_every_command_of_a_page_runs(page: str, project: Path) -> None:
    """As it is written and in the page's order; ``test_own_trainer_docs`` types the remaining page."""
    placeholders = {
        "0a30b555": hashlib.sha256((project / "names.txt").read_bytes()).hexdigest()[:8],
        "COMMAND": "table",
        "NAME": "names",
        "postgresql://…": "sqlite:///copy.db",
        "postgresql://sweep@db.example.org/sweep": "sqlite:///shared.db",
        "/shared/sweep": "files",
        "s3://my-bucket/team/sweep": "files",
    }
    for _ in run(page, project, placeholders):
        cut(project)


def test_what_is_not_run_is_still_in_the_documentation() -> None:
    """Or it leaves the list."""
    typed = {str(one) for page in PAGES for block in blocks(page) for one in block if one.is_ours}
    assert len(typed) > 100
    assert typed >= REFUSED.keys()
    for part in ELSEWHERE:
        assert any(part in command for command in typed), part
