"""A study's evidence without a search: made-up trials, and a winner that was really trained."""

import dataclasses
import datetime
import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sweep.certify.confirm_plan import Candidate, ConfirmPlan, ConfirmSettings, Job, round_seed
from sweep.certify.stored_confirmation import Confirmation
from sweep.definition.dimension import Choices, Range
from sweep.definition.records import SegmentRecord, StudyRecord, TrialRecord
from sweep.reporting.evidence import Evidence
from sweep.storage.checkpoints import Checkpoints
from sweep.storage.folders import LocalFolder
from sweep.trainers.mlp.trainer import MLP
from sweep.trainers.mlp.words.words_file import SPLIT_RULE

SPACE = {
    "block_size": Range(2, 4),
    "hidden_neurons": Range(4, 64, log=True),
    "learning_rate": Range(0.01, 1.0, log=True),
    "num_steps": Choices((40, 80)),
}

START = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


def made_study(*trials: TrialRecord, space: dict[str, Any] | None = None, **changes: Any) -> StudyRecord:
    """Return a study with these trials, its identity whole."""
    space = SPACE if space is None else space
    identity = {
        "sampler": "tpe",
        "pruner": "none",
        "seed": 0,
        "replicates": 1,
        "objective": "dev_loss",
        "data_sha256": changes.pop("data_sha256", "0" * 64),
        "data": {"dedupe": False},
        "split": SPLIT_RULE,
        "trainer_version": 1,
        "fixed": {name: value for name, value in MLP.make_config({}).to_dict().items() if name not in space},
        "search": {name: dimension.to_json() for name, dimension in space.items()},
        "trial": [],
    }
    identity["fixed"].pop("seed", None)
    values: dict[str, Any] = {
        "name": "made",
        "goal": "Which of these is best?",
        "identity": identity,
        "data": {"words": "data/words.txt", "dedupe": False},
        "data_facts": "40 words",
        "total_trials": len(trials),
        "keep": 20,
        "logged": (),
        "environment": {"sweep": "0.1.0", "torch": "2.13.0", "system": "Linux"},
        "trials": trials,
    }
    return StudyRecord(**{**values, **changes})


def made_trial(number: int, dev_loss: float | None = None, **changes: Any) -> TrialRecord:
    """Return a trial whose hyperparameters follow from its number; complete if it has a loss."""
    params = {
        "block_size": 2 + number % 3,
        "hidden_neurons": 4 * 2 ** (number % 5),
        "learning_rate": 0.01 * 10 ** (number % 3 / 2),
        "num_steps": (40, 80)[number % 2],
    }
    rungs = {10: 0.4, 30: 0.2, 90: 0.05, 100: 0.0} if dev_loss is not None else {10: 0.4}
    segments = tuple(
        SegmentRecord(
            step=80 * percent // 100,
            percent=percent,
            dev_loss=(2.5 if dev_loss is None else dev_loss) + more,
            seconds=0.5,
            state_sha256="0" * 64,
        )
        for percent, more in rungs.items()
    )
    values: dict[str, Any] = {
        "number": number,
        "state": "pruned" if dev_loss is None else "complete",
        "params": params,
        "seed": 1_000 + number,
        "dev_loss": dev_loss,
        "segments": segments,
        "reason": None,
        "facts": {"n_params": 100 + 10 * number, "examples_seen": 1_000},
        "engine": "fused",
        "device": "cpu",
        "started": START + datetime.timedelta(seconds=2 * number),
        "ended": START + datetime.timedelta(seconds=2 * number + 2),
    }
    return TrialRecord(**{**values, **changes})


def many_trials(n: int) -> list[TrialRecord]:
    """Return ``n`` trials of distinct configurations, every ninth of them pruned."""
    trials = [made_trial(k, 2 + (k * 37 % n) / n if k % 9 else None) for k in range(n)]
    rates = [0.01 * 100 ** (k / n) for k in range(n)]
    return [
        dataclasses.replace(trial, params={**trial.params, "learning_rate": rate})
        for trial, rate in zip(trials, rates, strict=True)
    ]


def made_confirmation(losses: dict[int, list[float]], certified: Sequence[float | None]) -> Confirmation:
    """Return a confirmation of these trials with these losses by round, certified on the lowest mean.

    A training without a loss diverged.
    """
    rounds = len(next(iter(losses.values())))
    settings = ConfirmSettings(top=len(losses), seeds=rounds, certify=max(2, len(certified)), delta=0.003)
    candidates = tuple(Candidate(trial=n, estimate=2.0, search_loss=2.0, seconds=1.0) for n in losses)
    plan = ConfirmPlan(
        made=START.isoformat(), fingerprint="5" * 64, trials_seen=9, candidates=candidates, settings=settings
    )
    jobs = {Job(n, "choice", r): loss for n, row in losses.items() for r, loss in enumerate(row)}
    best = min(losses, key=lambda n: sum(losses[n]))
    jobs |= {Job(best, "certify", r): loss for r, loss in enumerate(certified)}
    trials = {
        job: made_trial(
            k,
            loss,
            seed=round_seed("5" * 64, job.phase, job.round, 3 * 2**32),
            labels=job._asdict(),
            **({"state": "diverged", "reason": "diverged"} if loss is None else {}),
        )
        for k, (job, loss) in enumerate(jobs.items())
    }
    return Confirmation(plan=plan, number=1, trials=trials, name="made/confirm")


def trained_evidence(folder: Path, words: Path, **changes: Any) -> Evidence:
    """Return 24 complete trials, two pruned ones, and trial 7 the best with its weights on disk."""
    data = MLP.load_data({"words": str(words)})
    trials = {k: made_trial(k, 2.5 + 0.01 * ((k * 7) % 24)) for k in range(24)}
    config = MLP.make_config({**made_study().identity["fixed"], **trials[7].params, "seed": 1_007})
    done = MLP.train_segment(config, data, None, config.num_steps, engine="fused", device="cpu")
    files = Checkpoints(LocalFolder(folder / "made"))
    files.write_segment(7, 0, config.num_steps, done.state, done.losses)
    files.close(7, keep=True)
    last = SegmentRecord(
        step=config.num_steps,
        percent=100,
        dev_loss=2.4,
        seconds=0.5,
        state_sha256=hashlib.sha256(done.state).hexdigest(),
    )
    trials[7] = made_trial(7, 2.4, segments=(*trials[7].segments[:-1], last))
    ended = [*trials.values(), made_trial(24), made_trial(25, reason="pruned at 10 %")]
    study = made_study(
        *ended, data={"words": str(words), "dedupe": False}, data_sha256=data.sha256, **changes
    )
    return Evidence(study, files=LocalFolder(folder), reports=folder / "reports")
