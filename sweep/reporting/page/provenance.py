"""List the origin of a study's numbers, and the next commands."""

import datetime
from collections.abc import Iterable

from sweep.definition.records import StudyRecord, TrialRecord
from sweep.errors import NothingToShowError
from sweep.metric import MAXIMIZE
from sweep.reporting.contributions import contributions_of
from sweep.reporting.evidence import Evidence
from sweep.reporting.page.guests import guest_facts, ways_on
from sweep.reporting.page.headline import seconds_text, state_counts
from sweep.reporting.units import winner_name
from sweep.task import NO_DATA, why_untested

_MACHINE = ("system", "machine", "cores")


def facts(evidence: Evidence) -> dict[str, dict[str, str]]:
    """Return the facts that a reader needs to judge or repeat the study: title -> name -> text."""
    study = evidence.study
    if study.is_guest:
        return guest_facts(evidence, _times(study.trials), state_counts(evidence.rows))
    versions = {name: text for name, text in study.environment.items() if name not in _MACHINE}
    machine = {name: text for name, text in study.environment.items() if name in _MACHINE}
    return {
        "Search": _search(evidence),
        "Data": {
            **{name.replace("_", " "): str(value) for name, value in study.data.items()},
            "contents": study.data_facts,
            **({"split": study.split} if study.split else {}),
        },
        "Machine": {**machine, **_places(study)},
        "Versions": versions,
        "Hashes": {
            **({} if study.data_sha256 == NO_DATA else {"data (sha256)": study.data_sha256}),
            "identity of the study (sha256)": study.fingerprint,
        },
    }


def commands(evidence: Evidence) -> list[str]:
    """Return the next commands; none repeats a finished confirmation or a look at the test split."""
    name = evidence.study.name
    if evidence.study.is_guest:
        return ways_on(evidence.study, evidence.address)
    try:
        winner = evidence.winner
    except NothingToShowError:
        return [f"sweep run {name}"]
    export = f"sweep export {name} --trial {winner.number} -o best.toml"
    if evidence.confirmed:
        export = f"sweep export {name} -o best.toml    # as confirmed, with its certificate"
    confirm = f"sweep confirm {name}    # train the best again on fresh seeds"
    test = "sweep test best.toml    # evaluate on the test split, once"
    may_test = why_untested(evidence.study.task) is None and evidence.look_at_winner is None
    return [
        f"sweep replay {name} --trial {winner.number}    # train it again and compare",
        *([] if evidence.confirmed else [confirm]),
        export,
        *contributions_of(evidence.study).commands,
        *([test] if may_test else []),
    ]


def _search(evidence: Evidence) -> dict[str, str]:
    study = evidence.study
    return {
        "sampler": study.sampler,
        "pruner": study.pruner,
        "seed of the study": str(study.seed),
        "replicates": str(study.replicates),
        **_objectives(study),
        "trials": f"{state_counts(evidence.rows)}; {study.trials_in_all:,} in all",
        **_winner(evidence),
        **_times(study.trials),
        "trainer version": str(study.trainer_version),
    }


def _objectives(study: StudyRecord) -> dict[str, str]:
    metric, *costs = study.objectives
    if study.direction == MAXIMIZE:
        return {"maximised": metric, **({"minimised": costs[0]} if costs else {})}
    return {"minimised": ", ".join(study.objectives)}


def _winner(evidence: Evidence) -> dict[str, str]:
    try:
        winner = evidence.winner
    except NothingToShowError:
        return {}
    return {f"seed of the {winner_name(evidence.study)}": str(winner.seed)}


def _times(trials: Iterable[TrialRecord]) -> dict[str, str]:
    trials = list(trials)
    starts = [trial.started for trial in trials if trial.started]
    ends = [trial.ended for trial in trials if trial.ended]
    if not starts or not ends:
        return {}
    return {
        "first trial began": _moment(min(starts)),
        "last trial ended": _moment(max(ends)),
        "training, all trials": seconds_text(sum(trial.train_seconds for trial in trials)),
    }


def _moment(moment: datetime.datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def _places(study: StudyRecord) -> dict[str, str]:
    engines = dict.fromkeys(f"{trial.engine} on {trial.device}" for trial in study.trials)
    return {"engine": ", ".join(engines)} if engines else {}
