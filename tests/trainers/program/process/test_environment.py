"""A program's variables: what it gets, what it never gets, and what no file keeps."""

import os
import random
import sys
from pathlib import Path
from typing import Any

import pytest

from sweep.errors import DeviceError, StudyFileError
from sweep.trainers.program.process.environment import THREADS, Mask, check_env, child_environment, mask


def environment(parent: dict[str, str], **changes: Any) -> dict[str, str]:
    """Return the variables of a usual trial."""
    usual: dict[str, Any] = {
        "study": "toy",
        "trial": 7,
        "seed": 2**31 - 1,
        "dir": Path("/t/7"),
        "checkpoint": Path("/t/7/checkpoint"),
        "report": Path("/t/7/reported.jsonl"),
        "config": Path("/t/7/config.json"),
        "resumed": False,
        "deadline": None,
        "device": "cpu",
        "cpus": 2.0,
        "env": {},
        "secrets": [],
    }
    return child_environment(parent, **{**usual, **changes})


def test_a_program_is_told_what_the_documentation_lists() -> None:
    """Nothing else is added, and the user's own variables stay."""
    child = environment({"HOME": "/h", "PATH": "/usr/bin"}, resumed=True, deadline=1.5e9)
    assert child == {
        "HOME": "/h",
        "PATH": f"{Path(sys.executable).parent}:/usr/bin",
        "SWEEP_STUDY": "toy",
        "SWEEP_TRIAL": "7",
        "SWEEP_SEED": "2147483647",
        "SWEEP_DIR": "/t/7",
        "SWEEP_CHECKPOINT": "/t/7/checkpoint",
        "SWEEP_REPORT": "/t/7/reported.jsonl",
        "SWEEP_CONFIG": "/t/7/config.json",
        "SWEEP_RESUMED": "1",
        "SWEEP_DEADLINE": "1500000000.0",
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "2147483647",
        "CUDA_VISIBLE_DEVICES": "",
        **dict.fromkeys(THREADS, "2"),
    }


def test_without_a_deadline_or_a_path_there_is_none() -> None:
    """A deadline of an outer trial is not this one's."""
    child = environment({"SWEEP_DEADLINE": "1", "SWEEP_ANYTHING": "x"})
    assert "SWEEP_DEADLINE" not in child
    assert "SWEEP_ANYTHING" not in child
    assert child["PATH"] == str(Path(sys.executable).parent)


def test_threads_that_the_user_sets_stay() -> None:
    """In the shell or in [env]; half a core is one thread."""
    child = environment({"OMP_NUM_THREADS": "6"}, cpus=0.5, env={"MKL_NUM_THREADS": "5"})
    assert [child[name] for name in THREADS] == ["6", "5", "1", "1", "1"]


def test_the_studys_variables_have_the_last_word() -> None:
    """Over the user's and over our defaults."""
    child = environment({"A": "1"}, env={"A": "2", "PYTHONHASHSEED": "0", "PYTHONUNBUFFERED": ""})
    assert (child["A"], child["PYTHONHASHSEED"], child["PYTHONUNBUFFERED"]) == ("2", "0", "")


@pytest.mark.parametrize(
    "url", ["postgresql://u:hu%2Fnter2@h/db", "postgresql+psycopg://u:hu%2Fnter2@h:1/db?x=1"]
)
def test_the_storages_password_does_not_reach_a_program(url: str) -> None:
    """Not in its own variable, nor in another that holds the same, nor as libpq's."""
    child = environment(
        {"SWEEP_STORAGE": url, "DATABASE_URL": url, "PW": "hu/nter2", "PGPASSWORD": "x", "PGHOST": "h"}
    )
    assert not any("nter2" in value for value in child.values())
    assert "PGPASSWORD" not in child
    assert child["PGHOST"] == "h"
    assert "PGPASSWORD" in environment({"PGPASSWORD": "x"}, secrets=["PGPASSWORD"])


def test_a_secret_that_is_missing_is_refused() -> None:
    """Before anything is trained."""
    parent = {"HF_TOKEN": "hf_123"}
    assert parent.items() <= environment(parent, secrets=["HF_TOKEN"]).items()
    with pytest.raises(
        StudyFileError, match="secrets names WANDB_API_KEY, which is not set in this environment"
    ):
        environment({}, secrets=["WANDB_API_KEY"])


@pytest.mark.parametrize(
    ("device", "allowed", "visible"),
    [
        ("cpu", "0,1", ""),
        ("cuda", None, "0"),
        ("cuda", "4,7", "4,7"),
        ("cuda:1", None, "1"),
        ("cuda:1", "4,7", "7"),
        ("cuda:0", "GPU-8f, GPU-9a", "GPU-8f"),
        ("cuda:0,cuda:1", "4,7,8", "4,7"),
    ],
)
def test_a_gpu_is_one_that_the_user_allows(device: str, allowed: str | None, visible: str) -> None:
    """By its position among them."""
    parent = {} if allowed is None else {"CUDA_VISIBLE_DEVICES": allowed}
    assert environment(parent, device=device)["CUDA_VISIBLE_DEVICES"] == visible


@pytest.mark.parametrize(
    ("device", "allowed", "message"),
    [
        ("cuda:2", "4,7", "cuda:2 is not available"),
        ("cuda", "", "allows 0"),
        ("tpu", None, "must be cpu, cuda or cuda:N"),
    ],
)
def test_another_gpu_is_refused(device: str, allowed: str | None, message: str) -> None:
    """In one line."""
    with pytest.raises(DeviceError, match=message):
        environment({} if allowed is None else {"CUDA_VISIBLE_DEVICES": allowed}, device=device)


SECRET = [
    "WANDB_API_KEY",
    "KEY",
    "hf_token",
    "GITHUB_TOKEN",
    "AUTHTOKEN",
    "DB_PASSWORD",
    "PGPASSWORD",
    "MY_SECRET",
]


@pytest.mark.parametrize("name", [*SECRET, "AWS_SECRET_ACCESS_KEY", "PASSPHRASE", "GOOGLE_CREDENTIALS"])
def test_a_name_like_a_secrets_is_refused(name: str) -> None:
    """With the advice, and without the value."""
    with pytest.raises(StudyFileError) as error:
        check_env({name: "hunter2"})
    assert f'secrets = ["{name}"]' in str(error.value)
    assert "hunter2" not in str(error.value)


def test_other_names_are_variables() -> None:
    """Numbers become text; words that only contain KEY or TOKEN are no secrets."""
    section = {"TOKENIZERS_PARALLELISM": "false", "MONKEY": 3, "KEYBOARD": 0.5, "_x": "a=b\nc", "PASS": ""}
    assert check_env(section) == {
        "TOKENIZERS_PARALLELISM": "false",
        "MONKEY": "3",
        "KEYBOARD": "0.5",
        "_x": "a=b\nc",
        "PASS": "",
    }


def test_all_mistakes_are_said_at_once() -> None:
    """One line each."""
    with pytest.raises(StudyFileError) as error:
        check_env({"A B": "1", "": "1", "SWEEP_SEED": "1", "C": True, "D": ["x"], "E": "a\0b", "ok": "1"})
    assert len(error.value.lines) == 6
    with pytest.raises(StudyFileError, match="must be a section"):
        check_env("A=1")


@pytest.mark.parametrize("seed", range(20))
def test_secrets_are_masked_wherever_a_chunk_ends(seed: int) -> None:
    """As if the whole text were masked at once."""
    draw = random.Random(seed)  # noqa: S311  no secret
    secrets = ["abcab", "bcabc", "wörd", "x", ""]
    text = "".join(draw.choices(["abc", "ab", "c", "wörd", "w", "x", " "], k=300))
    content, masked, stream = text.encode(), b"", Mask(secrets)
    while content:
        size = draw.randint(1, 9)
        masked += stream.feed(content[:size])
        content = content[size:]
    masked += stream.close()
    assert b"abcab" not in masked
    assert "wörd".encode() not in masked
    assert masked.decode().count("x") == text.count("x")  # too short to be masked


def test_a_chunk_is_not_held_back_without_need() -> None:
    """A line that ends in no part of a secret comes out at once."""
    stream = Mask(["hunter2"])
    assert stream.feed(b"my hunter2 and hun") == b"my *** and "
    assert stream.feed(b"t!\n") == b"hunt!\n"
    assert (stream.feed(b"hunter"), stream.close()) == (b"", b"hunter")
    assert mask("hunter22 hunter2 abc", ["hunter2", "hunter22", "abc"]) == "*** *** abc"


def test_the_parents_environment_is_not_changed() -> None:
    """A worker runs many trials."""
    before = dict(os.environ)
    environment(os.environ, device="cpu")  # type: ignore[arg-type]
    assert dict(os.environ) == before


@pytest.mark.parametrize("end", ["", "'", '"'])
@pytest.mark.parametrize("cut", range(4, 9))
def test_a_secret_at_which_a_text_was_cut_is_masked(cut: int, end: str) -> None:
    """A fault is stored cut, often before a closing quotation mark; three letters say nothing."""
    assert mask("got 'key hunter22"[: 9 + cut] + end, ["hunter22"]) == f"got 'key ***{end}"
    assert mask("the hun", ["hunter22"]) == "the hun"
