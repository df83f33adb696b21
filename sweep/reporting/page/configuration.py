"""Write the value of each hyperparameter in the winner, and the values that the search may choose.

The exported form of the winner is below, so that the winner can be trained again from the page alone.
"""

import contextlib
import datetime

from sweep.certify.config_file import config_text
from sweep.definition.records import StudyRecord
from sweep.errors import NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Part
from sweep.reporting.page.html_page import escape
from sweep.reporting.table.columns import cell
from sweep.reporting.units import winner_name
from sweep.task import AUTO
from sweep.values import Value

FILE = "best.toml"
"""Name of the file that the section tells the reader to save."""


def configuration_section(evidence: Evidence) -> Part:
    """Return the hyperparameters as a table, and the winner as a file for ``sweep train``.

    A guest has no such file, because its trainer is unknown.

    Raises:
        NothingToShowError: If no hyperparameter is known.
    """
    study = evidence.study
    allowed = allowed_values(study)
    if not allowed:
        raise NothingToShowError("no hyperparameter is known yet")
    values = {name: value for name, value in study.fixed.items() if name not in study.searched}
    inactive, exported = set[str](), ""
    with contextlib.suppress(NothingToShowError):
        values = study.config_values(evidence.winner)
        inactive = set(study.searched) - set(evidence.winner.params)
        exported = "" if study.is_guest else _exported(evidence)
    rows = "\n".join(
        _row(name, "inactive" if name in inactive else _shown(name, values.get(name)), says)
        for name, says in allowed.items()
    )
    first = escape(winner_name(study))
    head = (
        f"<thead><tr><th scope=col class=t>hyperparameter<th scope=col class=t>{first}<th scope=col class=t>"
    )
    table = f'<table class="ranking">{head}search space</thead><tbody>\n{rows}\n</tbody></table>'
    return Part(markup=f'<div class="scroll">{table}</div>{exported}')


def allowed_values(study: StudyRecord) -> dict[str, str]:
    """Return the allowed values of each hyperparameter in words, the searched ones first."""
    searched = {name: _searched(study, name) for name in study.searched}
    fixed = {
        name: "found for each configuration" if value == AUTO else "fixed"
        for name, value in study.fixed.items()
        if name not in searched
    }
    return {**searched, **fixed}


def winner_file(evidence: Evidence) -> str:
    """Return the winner as ``sweep export`` writes it, with the end of its training as the date.

    Raises:
        NothingToShowError: If no trial has a final value.
    """
    winner = evidence.winner
    ended = winner.ended or datetime.datetime.fromtimestamp(0, datetime.UTC)
    certificate = evidence.confirmed.certificate if evidence.confirmed else None
    # A fixed time makes the text the same after each run.
    return config_text(evidence.study, winner, exported=ended, certificate=certificate)


def _searched(study: StudyRecord, name: str) -> str:
    condition = study.space.spoken_condition(name)
    return study.space[name].spoken() + (f", if {condition}" if condition else "")


def _shown(name: str, value: Value) -> str:
    return repr(value) if isinstance(value, float) else cell(name, value)


def _row(name: str, value: str, allowed: str) -> str:
    return f"<tr><td class=t>{escape(name)}<td class=t>{escape(value)}<td class=t>{escape(allowed)}"


def _exported(evidence: Evidence) -> str:
    text = "\n".join(map(escape, winner_file(evidence).splitlines()))
    seed = "the first certifying seed" if evidence.confirmed else "its own seed"
    says = f"Trial {evidence.winner.number} with {seed}. Save this text as {FILE}; "
    return (
        f"<details><summary>{FILE}: the {escape(winner_name(evidence.study))} as a file</summary>"
        f'<p class="note">{escape(says)}<code>sweep train {FILE}</code> trains it again.</p>'
        f"<pre><code>{text}</code></pre></details>"
    )
