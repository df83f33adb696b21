"""Write a confirmation for a terminal: a table of the candidates, then the verdict in sentences."""

import datetime
import functools
from collections.abc import Iterator, Mapping, Sequence

from sweep.certify.confirm_plan import ConfirmPlan, ConfirmSettings
from sweep.certify.earlier_confirmations import earlier_confirmations
from sweep.certify.statistics.power import POWER
from sweep.certify.stored_confirmation import Confirmation
from sweep.certify.units.report import UnitReport
from sweep.certify.verdict import MEASURES, Verdict
from sweep.definition.notes import NotReproducible
from sweep.definition.ranking import Rows, column_of, ranked_replicates, trials_since
from sweep.definition.records import StudyRecord, TrialRecord
from sweep.metric import Metric
from sweep.reporting.json_text import json_text
from sweep.reporting.table.columns import column_key
from sweep.reporting.table.text_table import draw_rows
from sweep.reporting.units import certified_label, words_of
from sweep.task import in_shown_order
from sweep.values import Json


def describe_plan(study: StudyRecord, plan: ConfirmPlan, workers: int) -> list[str]:
    """Return the plan as lines, to be printed before anything is trained."""
    asked = plan.settings
    made = datetime.datetime.fromisoformat(plan.made).astimezone()
    numbers = ", ".join(str(candidate.trial) for candidate in plan.candidates)
    matters = f"{asked.delta:g} {study.metric.unit}".rstrip()
    rounds = "seeds each" if asked.method == "fixed" else "seeds at most (race)"
    return [
        f"confirming study {study.name}: plan of {made:%Y-%m-%d %H:%M} on {plan.trials_seen} complete trials",
        f"candidates, {words_of(study.metric)['lowest']} estimated mean first: trials {numbers}",
        f"{asked.seeds} {rounds}, the same for all candidates; the search used none of them",
        f"then {_plural(asked.certify, 'more seed')} for the chosen candidate",
        *_resplit_plan(asked),
        f"difference that matters {matters}, chance of an error {asked.alpha:g}{_condition(asked)}",
        f"about {_duration(plan.expected_seconds / workers)} on {_plural(workers, 'worker')}, at most",
    ]


def _resplit_plan(asked: ConfirmSettings) -> Iterator[str]:
    if asked.resplit:
        yield f"then {asked.resplit} trainings of it on other cuts of train and dev; the test part stays"


def _condition(asked: ConfirmSettings) -> str:
    """Return the condition under which the chance of an error holds; see ``racing.race``."""
    if asked.method == "fixed":
        return ""
    return f" if the best leads by {asked.delta:g} or more (a smaller lead is not protected in a race)"


def format_confirmation(
    study: StudyRecord,
    confirmation: Confirmation,
    verdict: Verdict,
    units: UnitReport | None,
    *,
    width: int | None = None,
    colour: bool = False,
) -> str:
    """Write the candidates as a table and the verdict below it, or only the verdict if no training ended."""
    told = sentences(study, confirmation, verdict, units)
    if verdict.is_empty:
        return "\n".join(told)
    rows = _rows(verdict, units)
    shown = _shown(study, verdict)
    if units is not None:
        shown.insert(shown.index("search_loss"), "unseen")
    table = draw_rows(rows, study, shown, _drop_order(study, rows), width=width, colour=colour)
    return "\n".join([table, "", *told])


def format_json(study: StudyRecord, verdict: Verdict, units: UnitReport | None) -> str:
    """Write a list of objects, one for each candidate, with null for a missing value."""
    rows = _rows(verdict, units)
    if verdict.resampled is not None:
        for name in ("mean", "low", "high"):
            rows = rows.extended(f"resplit_{name}", functools.partial(_of_cuts, verdict, name))
    if verdict.is_deterministic:
        rows = rows.extended("deterministic", lambda _: True)
    rows = rows.renamed(lambda name: column_key(name, study.metric))
    return json_text(rows.records, indent=2)


def _of_cuts(verdict: Verdict, name: str, row: Mapping[str, Json]) -> float | None:
    """Return a number over the cuts of train and dev in the row of the chosen candidate."""
    is_chosen = verdict.chosen is not None and row["trial"] == verdict.chosen.trial
    return getattr(verdict.resampled, name) if is_chosen else None


def sentences(
    study: StudyRecord, confirmation: Confirmation, verdict: Verdict, units: UnitReport | None
) -> Iterator[str]:
    """Yield the verdict in words."""
    if confirmation.remaining:
        left = _plural(len(confirmation.remaining), "training")
        yield f"not finished: at least {left} left; run the same command to resume"
    yield from explosion_warnings(study, confirmation, verdict)
    if verdict.choice is None or verdict.chosen is None:
        if not confirmation.remaining:
            yield "no candidate finished every round; the table gives the reasons"
        return
    yield f"chosen: trial {verdict.chosen.trial}, {verdict.choice.reason}"
    if verdict.is_deterministic:
        yield "deterministic: the seed makes no difference, so each candidate has one value and none is tied"
    elif len(verdict.standing) > 1:
        yield _say_tied(verdict)
        yield from _say_power(verdict)
    yield from lost_seeds(confirmation, verdict)
    yield from _say_certified(verdict, study.metric)
    yield from _say_resplit(confirmation, verdict, study.metric.label)
    if (replayed := study.note(NotReproducible)) is not None:
        yield replayed.sentence
    if units is not None:
        yield from units.sentences()
    yield from _earlier(study, confirmation)


def _earlier(study: StudyRecord, confirmation: Confirmation) -> Iterator[str]:
    """Yield the results of the study's earlier confirmations."""
    for earlier in earlier_confirmations(study, confirmation):
        asked, verdict = earlier.plan.settings, earlier.verdict
        made = datetime.datetime.fromisoformat(earlier.plan.made).astimezone()
        what = f"confirmation {earlier.number} of {confirmation.number}, {made:%Y-%m-%d %H:%M}"
        size = f"{_plural(len(earlier.plan.candidates), 'candidate')}, {asked.seeds} + {asked.certify} seeds"
        if verdict.chosen is None or verdict.certified_mean is None or not earlier.is_finished:
            yield f"{what} ({size}): no result"
        else:
            value = f"{certified_label(study.metric)} {verdict.certified_mean:.4f}"
            yield f"{what} ({size}): trial {verdict.chosen.trial}, {value}"


def confirmation_line(study: StudyRecord, confirmation: Confirmation, verdict: Verdict) -> str:
    """Return the choice of a confirmation, or its progress, as the line below the ranked table."""
    among = f"among {_plural(len(confirmation.plan.candidates), 'candidate')}"
    if confirmation.remaining:
        left = _plural(len(confirmation.remaining), "training")
        how = f"`sweep confirm {study.name}` resumes it"
        return f"confirmation not finished, {among}: at least {left} left; {how}"
    if verdict.chosen is None:
        return f"confirmed {among}: no candidate finished every round"
    label, mean = certified_label(study.metric), verdict.certified_mean
    over = "deterministic, the same on" if verdict.is_deterministic else "over"
    found = "" if mean is None else f", {label} {mean:.4f} {over} {len(verdict.certified)} further seeds"
    return f"confirmed {among}: trial {verdict.chosen.trial}{found}"


def explosion_warnings(study: StudyRecord, confirmation: Confirmation, verdict: Verdict) -> Iterator[str]:
    """Yield a line on each candidate's exploded trainings that the verdict leaves out or rests on."""
    left_out = {row["trial"] for row in verdict.rows.records if row["reason"]}
    bound = "; a study with the key `diverged` ends such trials" if study.program else ""
    exploded: dict[tuple[int, str], list[TrialRecord]] = {}
    for job, trial in confirmation.exploded.items():
        exploded.setdefault((job.candidate, job.phase), []).append(trial)
    for (candidate, phase), trials in exploded.items():
        what = f"warning: trial {candidate} exploded on {_say_exploded(study.metric, trials)}"
        if phase == "choice" and candidate in left_out:
            yield f"{what}; it is left out of the choice and the intervals{bound}"
        elif phase == "choice":
            yield f"{what}, as all candidates did: their intervals are useless{bound}"
        elif verdict.chosen is not None and candidate == verdict.chosen.trial:
            yield f"{what}, which decides the certified mean and spread{bound}"


def _say_exploded(metric: Metric, trials: Sequence[TrialRecord]) -> str:
    seeds = ", ".join(str(trial.seed) for trial in trials)
    losses = sorted(trial.dev_loss for trial in trials if trial.dev_loss is not None)
    values = " to ".join(dict.fromkeys(f"{loss:.3g}" for loss in (losses[0], losses[-1])))
    where = f"seed{'s' if len(trials) > 1 else ''} {seeds}: {metric.label} {values}"
    return f"{where}, far {words_of(metric)['higher']} than all others"


def newer_trials(study: StudyRecord) -> str:
    """Return a sentence on the trials that the last confirmation did not see; empty if there are none."""
    newer = trials_since(study)
    if not newer:
        return ""
    best = ranked_replicates(study)[0].trials[0].number
    is_candidate = best in {candidate["trial"] for candidate in study.plans[-1]["candidates"]}
    found = "" if is_candidate else f", and trial {best} is now the best of the search"
    are = "trial is" if newer == 1 else "trials are"
    how = f"`sweep confirm {study.name}` makes another"
    return f"{newer:,} complete {are} newer than the confirmation{found}; {how}"


def _say_tied(verdict: Verdict) -> str:
    if len(verdict.tied) == 1:
        return "no other candidate is tied with the best"
    numbers = ", ".join(map(str, verdict.tied))
    return f"tied for the best mean: trials {numbers}; the seeds show no difference, but there may be one"


def _say_power(verdict: Verdict) -> Iterator[str]:
    if verdict.smallest_difference is not None:
        difference = f"{verdict.smallest_difference:.4f}"
        yield (
            f"{verdict.rounds} seeds detect a true difference of {difference} in {10 * POWER:.0f} of 10 "
            "confirmations, a smaller one less often"
        )
        more = verdict.seeds_to_decide
        if len(verdict.tied) > 1 and more is not None and more > verdict.rounds:
            yield (
                f"to tell the two best apart, about {more:,} seeds are needed if they truly differ by the "
                "measured difference"
            )


def _say_certified(verdict: Verdict, metric: Metric) -> Iterator[str]:
    if verdict.certified_mean is None or verdict.chosen is None:
        return
    spread = f", spread {verdict.certified_sd:.4f}" if verdict.certified_sd is not None else ""
    seeds = f"{len(verdict.certified)} seeds that took no part in search or choice"
    value = f"{certified_label(metric)} {verdict.certified_mean:.4f}"
    if verdict.is_deterministic:
        yield f"{value}, the same on {seeds} (deterministic, so there is no interval over seeds)"
    else:
        yield f"{value}{spread} over {seeds}"
    searched = f"{metric.label} of the same configuration in the search {verdict.chosen.search_loss:.4f}"
    yield f"{searched}: optimism {verdict.optimism:+.4f}"


def lost_seeds(confirmation: Confirmation, verdict: Verdict) -> Iterator[str]:
    """Yield the certifying seeds on which the chosen candidate has no value, and what follows."""
    if not verdict.lost or verdict.chosen is None:
        return
    seeds, asked = ", ".join(str(trial.seed) for trial in verdict.lost), confirmation.plan.settings.certify
    reasons = ", ".join(dict.fromkeys(trial.reason or trial.state for trial in verdict.lost))
    count = f"{len(verdict.lost)} of {_plural(asked, 'certifying seed')}"
    follows = "the certified values leave them out, so that its mean is too good"
    if len(verdict.certified) < 2 and not confirmation.remaining:
        follows = "so fewer than two have one, and there is no certificate"
    yield f"warning: trial {verdict.chosen.trial} has no value on {count} ({seeds}: {reasons}); {follows}"


def _say_resplit(confirmation: Confirmation, verdict: Verdict, label: str) -> Iterator[str]:
    asked, found = confirmation.plan.settings.resplit, verdict.resampled
    if found is not None:
        interval = f"{label} {found.mean:.4f}, 95 % {found.low:.4f} to {found.high:.4f}"
        ratio = f"dev over train {confirmation.plan.dev_to_train:.3f}"
        yield f"over {asked} cuts of train and dev: {interval} (Nadeau, Bengio 2003; {ratio})"
        yield "the certificate holds for the study's own cut"
    elif asked and not confirmation.remaining:
        lost = asked - len(verdict.resplit)
        yield f"no interval over cuts of train and dev: {_plural(lost, 'cut')} of {asked} has no value"


def _rows(verdict: Verdict, units: UnitReport | None) -> Rows:
    """Return the candidates' rows, with their losses on units that do not occur in train, if known."""
    if units is None:
        return verdict.rows
    return verdict.rows.extended("unseen", lambda row: units.unseen.get(row["trial"]))


def _shown(study: StudyRecord, verdict: Verdict) -> list[str]:
    """Return the columns that have a value in some row, without those of the certificate."""
    knobs = _knobs(study)
    measures = [name for name in MEASURES if not name.startswith(("certified", "optimism"))]
    empty = {name for name in measures if not verdict.rows.says(name)}
    reason = ["reason"] if verdict.rows.says("reason") else []
    columns = ["rank", "trial", *knobs, *measures, "seconds", *reason]
    return [name for name in columns if name not in empty]


def _knobs(study: StudyRecord) -> list[str]:
    return [column_of(name, study.task) for name in in_shown_order(study.task, study.searched)]


def _drop_order(study: StudyRecord, rows: Rows) -> list[str]:
    """Return the columns in the order in which a narrow terminal leaves them out.

    Hyperparameters in which the candidates agree go first, those in which they differ last.
    """
    knobs = _knobs(study)
    differ = [name for name in knobs if any(value != rows[name][0] for value in rows[name])]
    agree = [name for name in knobs if name not in differ]
    measured = ("seconds", "n", "unseen", "search_loss", "sd", "ci_low", "ci_high")
    return [*reversed(agree), *measured, *reversed(differ)]


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _plural(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
