"""Study files, words files and range tests of every kind: a result or one sentence, never a traceback."""

import collections
import contextlib
import io
import math
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import tomli_w
from hypothesis import HealthCheck
from hypothesis import strategies as st

from sweep.cli import main
from sweep.definition.study_file import load_study_file, parse_study
from sweep.definition.variants import apply_settings, variant_name
from sweep.errors import SweepError
from sweep.task import costs_of
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.corpus import load_corpus
from tests.faults.invariants import Findings, digest
from tests.faults.workspaces import copy_of_trained

Rows = dict[str, Findings]

STUDY_FILES = 500
"""In one run of the case."""


def study_files(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Whatever TOML holds, and whatever --set makes of it, is a study or is refused, a line a mistake."""
    from tests.support.study_values import anything, fields, likely, scalars, studies, whole

    folder.mkdir()
    path, row = folder / "study.toml", Findings()
    choices = st.lists(st.sampled_from([2, 3, 16, 32, 64]), min_size=1, max_size=3, unique=True)
    conditional = st.fixed_dictionaries(
        {
            "sampler": st.sampled_from(["tpe", "random", "grid", "gp", "qmc"]),
            "search": st.fixed_dictionaries(
                {
                    "schedule": st.just({"choices": ["step", "cosine"]}),
                    "batch_size": st.builds(lambda values: {"choices": values}, choices),
                    "decay_at": st.builds(
                        lambda low, high, when: {"low": low, "high": high, "when": when},
                        st.floats(0.1, 2),
                        st.floats(0.1, 2),
                        st.dictionaries(fields, scalars | st.lists(scalars, max_size=2), max_size=2)
                        | st.just({"schedule": "step"}),
                    ),
                }
            ),
        },
        optional={
            "objectives": st.lists(st.sampled_from(["dev_loss", *costs_of(MLP), "x"]), max_size=3),
            "fixed": st.just({"learning_rate": "auto"}) | st.dictionaries(fields, whole, max_size=2),
        },
    )
    keys = st.sampled_from(
        ["sampler", "trials", "name", "fixed.learning_rate", "search.block_size", "data.words"]
    )
    texts = st.sampled_from(["gp", "3..6", "16,32", "auto", "1e-3..0.1", "'a'", "{low=1,high=3}", "..", ""])
    settings = st.lists(st.builds("{}={}".format, keys, texts | st.text(max_size=8)), max_size=2)

    @hypothesis.seed(draw.getrandbits(32))
    @hypothesis.settings(
        max_examples=STUDY_FILES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @hypothesis.given(
        raw=studies | likely | conditional | st.dictionaries(st.text(max_size=6), anything), asked=settings
    )
    def read(raw: dict[str, Any], asked: list[str]) -> None:
        row.tried += 1
        with contextlib.suppress(TypeError, ValueError):  # what TOML cannot hold is tried below
            path.write_bytes(tomli_w.dumps(raw).encode())
            with _foreseen(row):
                load_study_file(path, MLP)
        with _foreseen(row):
            variant = apply_settings(raw, asked)
            variant_name("study", asked)
            parse_study(variant, MLP).identity(MLP, "ab" * 32)

    read()
    return {"fuzzing: study files, with --set": row}


@contextlib.contextmanager
def _foreseen(row: Findings) -> Iterator[None]:
    """Count anything but a refusal with one line for each mistake."""
    try:
        yield
        row.notes["accepted"] += 1
    except SweepError as error:
        row.notes["refused"] += 1
        row.must(not any("\n" in line for line in error.lines), f"more than one line: {error}")
    except Exception as error:  # noqa: BLE001  counted, whatever it is
        row.tracebacks += 1
        row.notes[repr(error)[:200]] += 1


def _words_files() -> dict[str, bytes]:
    some = b"anna\nbob\ncara\ndan\neva\nfinn\ngina\nhugo\nida\njan\nkim\nlea\n"
    million = b"".join(b"%x\n" % n for n in range(1_000_000))
    return {
        "empty": b"",
        "blanks": b" \n\t\n  \n" * 20,
        "empty lines": b"\n" * 50,
        "one word": b"anna\n",
        "nine words": b"\n".join(some.split()[:9]),
        "32,000 times one word": b"anna\n" * 32_000,
        "carriage returns": some.replace(b"\n", b"\r"),
        "CRLF": some.replace(b"\n", b"\r\n"),
        "byte order mark": b"\xef\xbb\xbf" + some,
        "UTF-16": some.decode().encode("utf-16"),
        "Latin-1": some + b"zo\xeb\n",
        "NUL": some + b"a\0b\n",
        "emoji": some + "👩‍👩‍👧 é e\u0301 ﷽\n".encode(),
        "one line of a megabyte": b"a" * 1_000_000,
        "a megabyte among others": some + b"ab" * 500_000,
        "a million lines": million,
        "upper and lower case": some + some.upper(),
        "a full stop inside": some + b"a.b\n",
        "duplicates": some * 3,
        "no last newline": some.rstrip(),
        "ANSI escapes": some + b"\x1b[31mred\n",
        "line separator": some + "a\u2028b\n".encode(),
        "surrogate": some + b"\xed\xa0\x80\n",
        "markup": some + b"<script>pwned()</script>\n</script>\n=1+1\n@x\n-x\n",
        "70,000 symbols": "\n".join(map(chr, range(0x10000, 0x10000 + 70_000))).encode(),
    }


def words_files(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """Every words file is read, and may be trained on, or is refused in one line with its place."""
    copy_of_trained("grid", folder)
    row = Findings()
    for name, raw in _words_files().items():
        path = folder / "odd.txt"
        path.write_bytes(raw)
        for dedupe in (False, True):
            row.tried += 1
            with _foreseen(row):
                data = load_corpus(path, dedupe=dedupe)
                if len(raw) < 300_000:
                    config = MLP.make_config({"num_steps": 3, "block_size": 2})
                    segment = MLP.train_segment(config, data, None, 3, engine="fused", device="cpu")
                    row.must(math.isfinite(segment.dev_loss), f"{name}: loss {segment.dev_loss}")
    return {"fuzzing: words files": row}


RANGE_TESTS: dict[str, list[str]] = {
    "two steps": ["--steps", "2"],
    "one step": ["--steps", "1"],
    "five steps": ["--steps", "5"],
    "14 steps": ["--steps", "14"],
    "divergence at once": ["--steps", "20", "--start", "1e6", "--end", "1e9"],
    "divergence on the way": ["--steps", "40", "--start", "1e-3", "--end", "1e12"],
    "overflow": ["--steps", "20", "--start", "1e300", "--end", "1e308"],
    "flat": ["--steps", "20", "--start", "1e-30", "--end", "1e-29"],
    "start above end": ["--steps", "20", "--start", "1", "--end", "0.1"],
    "start at 0": ["--steps", "20", "--start", "0", "--end", "0.1"],
    "not a number": ["--steps", "20", "--start", "nan", "--end", "0.1"],
    "infinite": ["--steps", "20", "--start", "0.1", "--end", "inf"],
}


def range_tests(folder: Path, draw: random.Random, so_far: Counter[str]) -> Rows:
    """An odd range test gives a plot or one sentence, and everything else stays bit for bit as it was."""
    copy_of_trained("random", folder)
    row, errors = Findings(), collections.Counter[str]()
    before = _without_figures(folder)
    for name, options in RANGE_TESTS.items():
        for _ in range(2):
            row.tried += 1
            out, err = io.StringIO(), io.StringIO()
            with contextlib.chdir(folder), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                try:
                    status = main(["lr-find", "study.toml", "--seeds", "2", *options])
                except Exception as error:  # noqa: BLE001  counted, whatever it is
                    row.tracebacks += 1
                    row.notes[f"{name}: {error!r}"] += 1
                    continue
            told = [line for line in err.getvalue().splitlines() if line.startswith("sweep: ")]
            row.must((status == 0) != (len(told) == 1), f"{name}: {status}, {told}")
            row.notes["plot" if status == 0 else "refused"] += 1
            errors.update(told)
    row.must(_without_figures(folder) == before, "something else was changed")
    return {"learning-rate finder: odd runs": row}


def _without_figures(folder: Path) -> Any:
    """Return every trial and every file but the database and the finder's own page."""
    from tests.faults.invariants import outcome

    files = {k: v for k, v in digest(folder).items() if not k.startswith(("reports", "studies/sweep.db"))}
    kept = {k: v for k, v in digest(folder).items() if k.startswith("studies/sweep.db.d/random/")}
    return files, {k: v for k, v in kept.items() if "driver" not in k}, outcome(folder, "random")
