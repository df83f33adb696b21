"""Write the studies of one release, for the tests that later releases still open them.

Run it once with the code of that release, ``python make.py CHECKOUT FOLDER``, and commit the folder
beside this file. ``postgres.sql`` in it is ``pg_dump --inserts`` of
what ``sweep copy`` made of three of the studies.
"""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llvmlite import binding

STUDIES = {
    "small": """
goal = "Six small models"
sampler = "random"
trials = 6
replicates = 2
keep = 4

[data]
words = "data/words.txt"

[search]
block_size = { low = 2, high = 4 }
hidden_neurons = { low = 5, high = 30 }
num_steps = { choices = [200, 400] }
""",
    "mixed": """
goal = "Conditions, a pruner, a divergence and a rate that is found"
sampler = "gp_cost"
pruner = "asha"
trials = 8
seed = 3

[data]
words = "data/words.txt"
dedupe = true

[fixed]
weight_decay = 0.001
num_steps = 2_400

[search]
schedule = { choices = ["step", "cosine"] }
decay_at = { low = 0.3, high = 0.9, when = { schedule = "step" } }
learning_rate = { low = 0.01, high = 0.5, log = true }
hidden_neurons = { low = 8, high = 40, log = true }

[[trial]]
schedule = "cosine"
learning_rate = 0.1
hidden_neurons = 30

[[trial]]
schedule = "cosine"
learning_rate = 0.5
hidden_neurons = 8
""",
    "auto": """
sampler = "tpe"
trials = 3
seed = 1

[data]
words = "data/words.txt"

[fixed]
learning_rate = "auto"
num_steps = 500
hidden_neurons = 12

[search]
block_size = { low = 2, high = 3 }
""",
    "front": """
sampler = "tpe"
objectives = ["dev_loss", "n_params"]
trials = 5

[data]
words = "data/words.txt"

[search]
embedding_dim = { low = 2, high = 8 }
hidden_neurons = { low = 5, high = 40 }

[fixed]
num_steps = 300
""",
    "cut": """
sampler = "grid"
trials = 4

[data]
words = "data/words.txt"

[fixed]
num_steps = 60_000
hidden_neurons = 60

[search]
block_size = { choices = [2, 3, 4, 5] }
""",
    "diverging": """
sampler = "listed"

[data]
words = "data/words.txt"

[fixed]
num_steps = 300
hidden_neurons = 10

[[trial]]
learning_rate = 1e30

[[trial]]
learning_rate = 0.1
""",
}


def made_up_words(n: int = 400, seed: int = 1) -> list[str]:
    """Return ``n`` distinct words and twenty of them a second time."""
    draw = random.Random(seed)  # noqa: S311  made-up words are no secret
    words: dict[str, None] = {}
    while len(words) < n:
        word = "".join(draw.choice("bcdfglmnrst") + draw.choice("aeiou") for _ in range(draw.randint(1, 4)))
        words[word] = None
    return [*words, *list(words)[:20]]


def lay_out(folder: Path) -> Path:
    """Write the words and the study files into a new folder."""
    (folder / "data").mkdir(parents=True)
    (folder / "studies").mkdir()
    (folder / "data" / "words.txt").write_text("".join(f"{word}\n" for word in made_up_words()))
    for name, text in STUDIES.items():
        (folder / "studies" / f"{name}.toml").write_text(text.lstrip())
    return folder


def command_in(code: Path, folder: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return what starts a command of the release in a folder."""
    variables = {
        "PYTHONPATH": str(code),
        "SWEEP_LEDGER": str(folder / "ledger.jsonl"),
        "CUDA_VISIBLE_DEVICES": "",
    }

    def start(*arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "sweep", *arguments],
            cwd=folder,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            text=True,
        )

    return start


def finish(process: subprocess.Popen[str]) -> str:
    """Return the stdout of a command that must succeed."""
    stdout, _ = process.communicate()
    assert process.returncode == 0, process.args
    return stdout


def kill_in_mid_trial(process: subprocess.Popen[str], database: Path) -> None:
    """Kill the driver of study ``cut`` as soon as an unfinished trial of it has a stored segment."""
    query = """
        SELECT count(*)
        FROM trials JOIN studies USING (study_id) JOIN trial_system_attributes USING (trial_id)
        WHERE study_name = 'cut' AND state = 'RUNNING' AND key = 'sweep:segments'
        """
    n = 0
    while not n:
        assert process.poll() is None, "it ended before it could be killed"
        time.sleep(0.05)
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=60) as connection:
            (n,) = connection.execute(query).fetchone()
    process.kill()
    process.wait()


def attributes(database: Path) -> dict[str, Any]:
    """Return the stored fingerprints and seeds, by study and by trial."""
    fingerprints = """
        SELECT study_name, value_json FROM studies JOIN study_system_attributes USING (study_id)
        WHERE key = 'sweep:fingerprint' ORDER BY 1
        """
    seeds = """
        SELECT study_name || '/' || number, value_json
        FROM trials JOIN studies USING (study_id) JOIN trial_user_attributes USING (trial_id)
        WHERE key = 'seed' ORDER BY study_name, number
        """
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        return {
            kind: {key: json.loads(text) for key, text in connection.execute(query)}
            for kind, query in (("fingerprints", fingerprints), ("seeds", seeds))
        }


def main() -> None:
    """Train, kill, confirm, export and test; write what the release itself prints of it."""
    code, folder = Path(sys.argv[1]).resolve(), lay_out(Path(sys.argv[2]).resolve())
    undisturbed = lay_out(folder.with_name(f"{folder.name}-undisturbed"))
    begin, begin_undisturbed = command_in(code, folder), command_in(code, undisturbed)
    database = folder / "studies" / "sweep.db"
    for name in STUDIES:
        finish(begin_undisturbed("run", name, "--workers", "1"))
        if name == "cut":
            kill_in_mid_trial(begin("run", name, "--workers", "2"), database)
        else:
            finish(begin("run", name, "--workers", "1"))
    tables = {
        name: json.loads(finish(begin_undisturbed("table", name, "--format", "json"))) for name in STUDIES
    }
    seeds = ["--top", "2", "--seeds", "3", "--certify", "3"]
    confirmation = finish(begin("confirm", "small", *seeds, "--workers", "1", "--format", "json"))
    finish(begin("export", "small", "-o", "best.toml"))
    finish(begin("export", "mixed", "-o", "mixed.toml"))
    expected = {
        "processor": binding.get_host_cpu_name(),
        "tables": tables,
        "confirmation": json.loads(confirmation),
        "test": finish(begin("test", "best.toml")),
        "sample": finish(begin("sample", "best.toml", "-n", "8", "--seed", "5")),
        "samples_of_mixed": finish(begin("sample", "mixed.toml", "-n", "8", "--seed", "5")),
        **attributes(database),
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1, sort_keys=True) + "\n")
    shutil.rmtree(undisturbed)


if __name__ == "__main__":
    main()
