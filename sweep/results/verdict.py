"""What came out of a study, in words and in a few numbers?

A pure function of the record and its ranked rows: what a reader should know who reads nothing else.
"""

import collections
import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas

from sweep.results.columns import cell
from sweep.results.table import RANKED
from sweep.search.records import StudyRecord

SEED_NOISE = 0.02
"""Nats per character that another seed may change: the largest spreads between seeds that were
measured on the project's own study of fifteen configurations."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a reader sees first, as plain text."""

    headline: str
    sentences: list[str]
    tiles: dict[str, str]
    """Name -> a number or a word."""


def judge_study(study: StudyRecord, rows: pandas.DataFrame, baselines: Mapping[str, float]) -> Verdict:
    """Return the verdict on a study.

    Args:
        study: As stored.
        rows: ``rank_trials(study)``.
        baselines: Name -> dev loss without training, highest first; may be empty.
    """
    ranked = _rows_of(rows, RANKED)
    if not ranked:
        return _without_winner(study, rows)
    best = ranked[0]
    return Verdict(
        headline=f"Trial {best['trial']} is best, at {best['dev_loss']:.4f} nats per character",
        sentences=[
            _configuration(study, best),
            _gain(best["dev_loss"], baselines),
            _certainty(ranked),
            *_unfinished(study),
        ],
        tiles=_tiles(study, best, baselines),
    )


def state_counts(rows: pandas.DataFrame) -> str:
    """Return how many trials ended how, as ``38 complete, 2 pruned``."""
    counts: collections.Counter[str] = collections.Counter()
    for state, trials in zip(rows["state"], rows["trials"], strict=True):
        counts[state] += len(trials)
    return ", ".join(f"{count:,} {state}" for state, count in counts.most_common()) or "none"


def _rows_of(rows: pandas.DataFrame, state: str) -> list[dict[str, Any]]:
    names = [str(name) for name in rows]
    found = rows[rows["state"] == state].itertuples(index=False, name=None)
    return [dict(zip(names, values, strict=True)) for values in found]


def _without_winner(study: StudyRecord, rows: pandas.DataFrame) -> Verdict:
    if rows.empty:
        return Verdict(
            headline="No trial yet",
            sentences=[f"`sweep run {study.name}` trains {study.total_trials:,} of them."],
            tiles={},
        )
    why = "A trial ranks when it ends with a finite loss; the table says why none did."
    return Verdict(
        headline="No trial has a final loss",
        sentences=[f"So far: {state_counts(rows)}.", why, *_unfinished(study)],
        tiles={},
    )


def _configuration(study: StudyRecord, best: Mapping[str, Any]) -> str:
    """Return the winner's searched hyperparameters as a sentence."""
    values = [
        f"{name.replace('_', ' ')}\N{NO-BREAK SPACE}{cell(name, best[name])}"
        for name in study.searched
        if best.get(name) is not None
    ]
    text = _listed(values) if values else "Nothing was searched"
    return f"{text[0].upper()}{text[1:]}."


def _gain(loss: float, baselines: Mapping[str, float]) -> str:
    """Say what the loss means, and how far it is below what needs no training."""
    unsure = f"On average it is as unsure as between {math.exp(loss):.1f} equally likely characters"
    if not baselines:
        return f"{unsure}."
    gains = [_difference(loss - base, name) for name, base in baselines.items()]
    return f"{unsure}: {_listed(gains)}."


def _difference(difference: float, name: str) -> str:
    return f"{abs(difference):.2f} nats {'below' if difference <= 0 else 'above'} the {name}"


def _certainty(ranked: Sequence[Mapping[str, Any]]) -> str:
    """Say how many configurations might be as good."""
    best = ranked[0]
    noise = SEED_NOISE if best["dev_loss_sd"] is None else 2 * best["dev_loss_sd"] * math.sqrt(2 / best["n"])
    near = sum(row["dev_loss"] - best["dev_loss"] <= noise for row in ranked[1:])
    if best["n"] > 1:
        seeds = f"Mean of {best['n']} seeds, which differ by {best['dev_loss_sd']:.4f} (standard deviation)"
    else:
        seeds = "It was trained on one seed, and another seed may change a loss by 0.02"
    if not near:
        return f"{seeds}; no other configuration comes within {noise:.3f} of it."
    others = "one other configuration is" if near == 1 else f"{near:,} other configurations are"
    return f"{seeds}; {others} within {noise:.3f} of it, so their order may be luck."


def _unfinished(study: StudyRecord) -> list[str]:
    done = sum(trial.is_finished for trial in study.trials)
    if done >= study.total_trials:
        return []
    return [f"{done:,} of {study.total_trials:,} trials are done; `sweep run {study.name}` goes on."]


def _tiles(study: StudyRecord, best: Mapping[str, Any], baselines: Mapping[str, float]) -> dict[str, str]:
    gains = {
        f"vs {name}": f"{best['dev_loss'] - loss:+.4f}".replace("-", "\N{MINUS SIGN}")
        for name, loss in list(baselines.items())[-1:]
    }
    spent = sum(trial.train_seconds for trial in study.trials)
    return {
        "dev loss": f"{best['dev_loss']:.4f}",
        **gains,
        "seeds": f"{best['n']}",
        "parameters": cell("n_params", best["n_params"]),
        "to train it": seconds_text(best["train_seconds"] or 0.0),
        f"to train all {len(study.trials):,} trials": seconds_text(spent),
    }


def seconds_text(seconds: float) -> str:
    """Return a duration as a person says it.

    Examples:
        >>> seconds_text(6.83), seconds_text(95), seconds_text(7_300)
        ('6.8 s', '1 min 35 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
