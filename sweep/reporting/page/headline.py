"""State the result of a study in a few sentences and numbers.

``write_headline`` is a pure function of the stored records. A finished confirmation decides which trial is
best, and its value is the certified one; until then the ranked table decides. A look at the test split adds
the test loss.
"""

import collections
import dataclasses
from collections.abc import Mapping

from sweep.definition.ranking import RANKED, Rows, column_of
from sweep.definition.records import StudyRecord
from sweep.errors import NothingToShowError
from sweep.reporting.contributions import contributions_of
from sweep.reporting.evidence import Confirmed, Evidence
from sweep.reporting.exhibits import exhibits_of
from sweep.reporting.page.guests import ONE_RUN, describe_guest_front, guest_title
from sweep.reporting.page.how_sure import listed, say_confirmed, say_unconfirmed
from sweep.reporting.table.columns import cell
from sweep.reporting.table.pareto_summary import knee_of, pareto_front
from sweep.reporting.units import (
    certified_label,
    difference_unit,
    test_label,
    winner_name,
    with_unit,
    words_of,
)
from sweep.storage.looks.stored_looks import TestLook
from sweep.task import costs_of, described_facts
from sweep.values import Params


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Headline:
    """The top of the report as plain text; commands are between backticks."""

    title: str
    sentences: list[str]
    tiles: dict[str, str]
    """Name -> a number or a word."""


def headline_of(evidence: Evidence) -> Headline:
    """Return the headline of a study, without baselines if they cannot be computed."""
    try:
        baselines = exhibits_of(evidence.study).baselines(evidence)
    except NothingToShowError:
        baselines = {}
    return write_headline(
        *(evidence.study, evidence.rows, baselines, evidence.confirmed, evidence.look_at_winner),
        is_uncertified=evidence.is_uncertified,
    )


def write_headline(
    study: StudyRecord,
    rows: Rows,
    baselines: Mapping[str, float],
    confirmed: Confirmed | None = None,
    look: TestLook | None = None,
    *,
    is_uncertified: bool = False,
) -> Headline:
    """Return the result of a study.

    Args:
        study: As stored.
        rows: ``rank_trials(study)``.
        baselines: Name -> value without training, worst first; may be empty.
        confirmed: None if no confirmation is finished.
        look: The first finished look at the test split with the best trial; None if there is none.
        is_uncertified: Whether a confirmation ended without a certificate.
    """
    ranked = [row for row in rows.records if row["state"] == RANKED]
    if not ranked or study.is_guest:
        return _of_guest(study, rows, ranked[0]) if ranked else _without_winner(study, rows)
    if confirmed is None:
        best, loss = ranked[0], ranked[0]["value"]
        sure = say_unconfirmed(study, best, is_uncertified=is_uncertified)
        label, start = study.metric.label, f"Trial {best['trial']} {_is_best(study)} so far"
        certainty = "not yet"
    else:
        best = next(row for row in ranked if confirmed.trial in row["trials"])
        loss, sure = confirmed.certificate.mean, say_confirmed(study, confirmed)
        label, start = certified_label(study.metric), f"Trial {confirmed.trial} {_is_best(study)}"
        certainty = f"{len(confirmed.certificate.seeds)} seeds"
    sentences = [_configuration(study, best), *_gain(study, loss, baselines), *sure, *_front(study, rows)]
    sentences += [*_tested(study, look), *_unfinished(study)]
    tiles = {label: f"{loss:.4f}", **_gains(loss, baselines), "confirmed": certainty}
    tiles |= {**_test_tile(study, look), **_costs(study, best)}
    title = f"{start}: {label} {with_unit(study.metric, loss)}"
    return Headline(title=title, sentences=sentences, tiles=tiles)


def state_counts(rows: Rows) -> str:
    """Return the number of trials in each state: ``38 complete, 2 pruned``."""
    counts: collections.Counter[str] = collections.Counter()
    for state, trials in zip(rows["state"], rows["trials"], strict=True):
        counts[state] += len(trials)
    return ", ".join(f"{count:,} {state}" for state, count in counts.most_common()) or "none"


def seconds_text(seconds: float) -> str:
    """Return a duration in words.

    Examples:
        >>> seconds_text(6.83), seconds_text(95), seconds_text(7_300)
        ('6.8 s', '1 min 35 s', '2 h 1 min')
    """
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


def _of_guest(study: StudyRecord, rows: Rows, best: Params) -> Headline:
    """Return the headline of a guest, whose trainer and seeds are unknown."""
    front = describe_guest_front(study, rows)
    values = front or [_configuration(study, best)]
    tile = {study.metric.label: cell("value", best["value"])} if study.cost is None else {}
    return Headline(
        title=guest_title(study, rows, best),
        sentences=[*values, ONE_RUN],
        tiles={**tile, "trials": f"{len(study.trials):,}", "complete": f"{len(study.complete_trials()):,}"},
    )


def _without_winner(study: StudyRecord, rows: Rows) -> Headline:
    if study.is_guest:
        title = "No trial is complete" if len(rows) else "No trial yet"
        return Headline(title=title, sentences=[f"Its trials: {state_counts(rows)}."], tiles={})
    if not len(rows):
        todo = f"`sweep run {study.name}` trains {study.total_trials:,} of them."
        return Headline(title="No trial yet", sentences=[todo], tiles={})
    counted = f"So far: {state_counts(rows)}."
    noun = study.metric.noun
    why = f"Only a trial that ends with a finite {noun} has a rank; the table gives the reasons."
    return Headline(
        title=f"No trial has a final {noun}", sentences=[counted, why, *_unfinished(study)], tiles={}
    )


def _is_best(study: StudyRecord) -> str:
    """Return the predicate of the first trial; with two objectives, it is the best in the metric alone."""
    return "is best" if study.cost is None else "has the {lowest} {label}".format(**words_of(study.metric))


def _front(study: StudyRecord, rows: Rows) -> list[str]:
    """Return the size of the Pareto front of two objectives, and its knee."""
    if study.cost is None:
        return []
    front = pareto_front(rows, study.cost, study.metric, costs_of(study.task)[study.cost])
    on_it = f"{len(front):,} configurations are" if len(front) != 1 else "1 configuration is"
    knee = knee_of(front)
    bend = (
        ""
        if knee is None
        else f"; its knee is trial {knee.trial}, {study.metric.name} {knee.dev_loss:.4f} at {study.cost} "
        f"{cell(study.cost, knee.cost)}"
    )
    return [f"{on_it} on the Pareto front of {study.metric.name} and {study.cost}{bend}."]


def _configuration(study: StudyRecord, best: Params) -> str:
    """Return the winner's searched hyperparameters as a sentence."""
    columns = {name: column_of(name, study.task) for name in study.searched}
    values = [
        f"{name if study.program else name.replace('_', ' ')}\N{NO-BREAK SPACE}{cell(name, best[column])}"
        for name, column in columns.items()
        if best.get(column) is not None
    ]
    text = listed(values) if values else "Nothing was searched"
    if values and study.program:
        return f"It has {text}."  # a name that the user chose gets no capital letter
    return f"{text[0].upper()}{text[1:]}."


def _gain(study: StudyRecord, loss: float, baselines: Mapping[str, float]) -> list[str]:
    """Explain the value if the trainer can, and compare it with the baselines, which need no training."""
    meaning = contributions_of(study).meaning
    unit = difference_unit(study.metric)
    parts = [] if meaning is None else [meaning(loss)]
    if baselines:
        parts.append(listed([_difference(loss - base, name, unit) for name, base in baselines.items()]))
    return [f"{': '.join(parts)}."] if parts else []


def _difference(difference: float, name: str, unit: str) -> str:
    size = f"{abs(difference):.2f} {unit}".rstrip()
    return f"{size} {'below' if difference <= 0 else 'above'} the {name}"


def _tested(study: StudyRecord, look: TestLook | None) -> list[str]:
    """Return the result of a look at the test split; the first look uses data that no choice has used."""
    if look is None or look.test_loss is None:
        return []
    seeds = f", the mean over {len(look.seeds)} seeds" if look.seeds else ""
    again = ", not the first look at these data" if look.why else ""
    value = with_unit(study.metric, look.test_loss)
    return [f"The {test_label(study.metric)} is {value}{seeds} ({look.day}{again})."]


def _test_tile(study: StudyRecord, look: TestLook | None) -> dict[str, str]:
    return {} if look is None else {test_label(study.metric): f"{look.test_loss:.4f}"}


def _unfinished(study: StudyRecord) -> list[str]:
    done = sum(trial.is_finished for trial in study.trials)
    if done >= study.trials_in_all:
        return []
    return [
        f"{done:,} of {study.trials_in_all:,} trials are done; `sweep run {study.name}` trains the others."
    ]


def _gains(loss: float, baselines: Mapping[str, float]) -> dict[str, str]:
    """Return the difference from the best baseline."""
    return {
        f"vs {name.partition(' (')[0]}": f"{loss - base:+.4f}".replace("-", "\N{MINUS SIGN}")
        for name, base in list(baselines.items())[-1:]
    }


def _costs(study: StudyRecord, best: Params) -> dict[str, str]:
    costs = {name: fact for name, fact in described_facts(study.task).items() if fact.is_cost}
    spent = sum(trial.train_seconds for trial in study.trials)
    return {
        **{fact.unit or name: cell(name, best[name]) for name, fact in costs.items()},
        f"training of the {winner_name(study)}": seconds_text(best["train_seconds"] or 0.0),
        f"training of all {len(study.trials):,} trials": seconds_text(spent),
    }
