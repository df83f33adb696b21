"""Build the report's sections about programs: the program itself, and the output of failed trials."""

import shlex
from collections.abc import Iterator

from sweep.definition.records import StudyRecord
from sweep.errors import NothingToShowError, StorageError
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Exhibits, Part, Plot, Section
from sweep.reporting.figures.figure import Figure
from sweep.reporting.figures.training_curve import TrainingCurve, plot_training_curve, training_curve
from sweep.reporting.page.html_page import definition_list, escape
from sweep.reporting.printable import printable
from sweep.task import GIVEN
from sweep.trainers.program.folder import TrialFolder

LAST_LINES = 20
"""Number of lines of output that are shown for each failed trial."""

MOST_FAILURES = 20
"""Number of failed trials that are shown, the latest first."""


def _program(evidence: Evidence) -> Part:
    """Return the section about the study's program."""
    return Part(markup=definition_list(dict(describe_program(evidence.study))))


def describe_program(study: StudyRecord) -> Iterator[tuple[str, str]]:
    """Yield names and texts that describe a study's program and folders."""
    program, surroundings = study.program, study.surroundings
    if "command" in program:
        yield "command", shlex.join(program["command"])
    elif GIVEN in program:
        yield "function", f"{program[GIVEN]}, given from Python, not from a file"
    else:
        yield "function", str(program.get("trainer", ""))
    yield "started in", str(surroundings.get("start", ""))
    yield "study file in", str(surroundings.get("here", ""))


def _failures(evidence: Evidence) -> Part:
    """Return the last lines of each failed trial.

    Raises:
        NothingToShowError: If no trial failed.
    """
    failed = [trial for trial in evidence.study.trials if trial.state in ("failed", "timeout")]
    if not failed:
        raise NothingToShowError("no trial failed")
    shown = failed[-MOST_FAILURES:]
    parts = [
        f"<h3>Trial {trial.number}</h3><p>{escape(printable(trial.reason or trial.state))}</p>"
        f"{_output(evidence, trial.number)}"
        for trial in shown
    ]
    left_out = len(failed) - len(shown)
    note = f'<p class="note">{left_out:,} earlier failures are not shown.</p>' if left_out else ""
    return Part(markup=note + "".join(parts))


def _output(evidence: Evidence, number: int) -> str:
    if evidence.programs is None:
        return ""
    try:
        lines = TrialFolder.of(evidence.programs, number).tail(LAST_LINES)
    except (OSError, StorageError):
        return ""
    if not lines:
        return '<p class="note">The trial printed nothing.</p>'
    return f"<pre>{escape(chr(10).join(map(printable, lines)))}</pre>"


def _plot_reports(curve: TrainingCurve) -> Figure:
    return plot_training_curve(curve, raw="reported")


EXHIBITS = Exhibits(
    plots={
        "training-curve": Plot(
            title="Reported values",
            reading="Grey: values that the program reported; blue: their moving average; diamonds: values "
            "that were compared at rungs, and the last one.",
            numbers=training_curve,
            figure=_plot_reports,
        )
    },
    sections={
        "failures": Section(title="Output of failed trials", build=_failures, before="provenance"),
        "program": Section(title="Program", build=_program, before="provenance"),
    },
)
