"""Write the page of a range test and the table of its raw losses."""

import csv
import io
import math
from pathlib import Path

import numpy as np

from sweep.errors import NothingToShowError
from sweep.reporting.files import REPORTS, write_text
from sweep.reporting.page.html_page import definition_list, escape, figure_place, render_page
from sweep.trainers.mlp.learning_rate.lr_suggestions import DEFINITIONS
from sweep.trainers.mlp.learning_rate.range_curve import (
    RangeCurve,
    RangeTest,
    flat_stretch,
    range_curve,
    suggestions,
)
from sweep.trainers.mlp.learning_rate.recommendation import recommend
from sweep.trainers.mlp.shown.lr_finder_figure import LrFinderCurve, lr_finder_curve, plot_lr_finder

_UNUSED = ("learning_rate", "final_learning_rate", "decay_at", "schedule", "warmup", "num_steps", "seed")
"""Hyperparameters without effect on a range test, and the seed, which is shown separately."""


def write_lr_finder(
    test: RangeTest, study: str, *, source: str = "", reports: Path | str = REPORTS
) -> tuple[Path, Path]:
    """Write ``<reports>/<study>/lr_finder.html`` and ``lr_finder.csv``.

    Args:
        test: The range test.
        study: Name of the study, or of the configuration's file.
        source: Description of the tested configuration, such as "the best trial, number 12".
        reports: Folder of all reports; nothing is written outside it.

    Returns:
        The paths of the page and of the table.

    Raises:
        MachineError: If a file cannot be written, or would be outside ``reports``.
    """
    folder = Path(reports) / study
    page = write_text(folder / "lr_finder.html", lr_finder_html(test, study, source), within=reports)
    return page, write_text(folder / "lr_finder.csv", lr_finder_csv(test), within=reports)


def lr_finder_csv(test: RangeTest) -> str:
    """Return one line per step: the learning rate and each seed's raw loss, with all digits.

    A cell is empty once its seed has stopped.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["step", "learning_rate", *(f"loss_seed_{seed}" for seed in test.curve.seeds)])
    columns = zip(test.curve.learning_rates.tolist(), *test.curve.raw.tolist(), strict=True)
    for step, (rate, *losses) in enumerate(columns):
        writer.writerow([step, rate, *("" if math.isnan(loss) else loss for loss in losses)])
    return file.getvalue()


def read_lr_finder_csv(path: Path) -> RangeCurve:
    """Read the curve from a file of ``lr_finder_csv``.

    Raises:
        NothingToShowError: If there is no such file, or it has other content.
    """
    try:
        (_, _, *names), *lines = csv.reader(io.StringIO(path.read_text(encoding="utf-8")))
        cells = np.array([[float(cell or "nan") for cell in line] for line in lines]).T
        seeds = tuple(int(name.removeprefix("loss_seed_")) for name in names)
        rates, raw = cells[1], cells[2:]
    except FileNotFoundError as error:
        raise NothingToShowError("no range test yet; run `sweep lr-find STUDY.toml`") from error
    except (OSError, ValueError, IndexError) as error:
        raise NothingToShowError(
            f"{path} is not a table of a range test; run `sweep lr-find` again"
        ) from error
    if len(rates) < 2 or not (rates[0] > 0 and np.isfinite(rates[-1]) and (np.diff(rates) > 0).all()):
        raise NothingToShowError(f"{path} has no growing learning rates; run `sweep lr-find` again")
    return range_curve(rates, seeds, raw)


def lr_finder_html(test: RangeTest, study: str, source: str = "") -> str:
    """Return the page as text."""
    advice = recommend(suggestions(test.curve), flat_stretch(test.curve))
    body = "\n".join(
        [
            f'<p class="eyebrow">{escape(study)}{f" · {escape(source)}" if source else ""}</p>',
            "<h1>Learning-rate finder</h1>",
            f'<p class="lead">{escape(advice.sentence())}</p>',
            "<p>The learning rate grows from left to right while a new model trains. Left of the lowest "
            "point, training is slow; right of it, the model diverges. The dashed line is the rate of the "
            f"tested configuration, {test.config.learning_rate:.3g}.</p>",
            figure_place("lr_finder", "Training loss over the learning rate, with the suggestions marked"),
            f'<p class="note">{_caption(test.curve)}</p>',
            "<h2>What each rule says</h2>",
            _suggestion_table(test.curve),
            "<h2>How it was measured</h2>",
            definition_list(_measured(test)),
            definition_list(_sources(test), "wide"),
            "<h2>Configuration</h2>",
            definition_list(_configuration(test)),
            '<p class="note">The raw loss of every step: <a href="lr_finder.csv">lr_finder.csv</a>.</p>',
        ]
    )
    return render_page(f"Learning-rate finder: {study}", body, {"lr_finder": plot_lr_finder(_curve(test))})


def _curve(test: RangeTest) -> LrFinderCurve:
    return lr_finder_curve(test.curve, test.config.learning_rate)


def _caption(curve: RangeCurve) -> str:
    smoothed = f"Smoothed over the past {curve.window:,} steps" if curve.window > 1 else "Not smoothed"
    band = "; the band spans the quartiles of the seeds" if len(curve.seeds) > 1 else ""
    stopped = f" {curve.stopped} of {len(curve.seeds)} seeds diverged and stopped." if curve.stopped else ""
    return f"{smoothed}{band}. Losses far above the curve are outside the picture.{stopped}"


def _suggestion_table(curve: RangeCurve) -> str:
    lines = [
        f'<tr><td class="name">{escape(name.replace("_", " "))}</td>'
        f'<td class="number">{f"{rate:.3g}" if rate is not None else "none"}</td>'
        f'<td class="wide">{escape(DEFINITIONS[name])}<small>{escape(remark)}</small></td></tr>'
        for name, (rate, remark) in suggestions(curve).items()
    ]
    head = '<tr><th>rule</th><th class="number">learning rate</th><th>definition</th></tr>'
    table = f"<table><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table>"
    return f'<div class="scroll">{table}</div>'


def _measured(test: RangeTest) -> dict[str, str]:
    lrs = test.curve.learning_rates
    return {
        "range": f"{lrs[0]:.3g} to {lrs[-1]:.3g}, geometric",
        "steps": f"{len(lrs):,} a seed",
        "seeds": f"{len(test.curve.seeds)}",
        "engine": f"{test.engine} on {test.device}",
    }


def _sources(test: RangeTest) -> dict[str, str]:
    return {
        "seed of each run": ", ".join(map(str, test.curve.seeds)),
        "sha256 of the words file": test.data_sha256,
        "sha256 of the configuration": test.config.sha256(),
    }


def _configuration(test: RangeTest) -> dict[str, str]:
    values = test.config.to_dict()
    return {
        name.replace("_", " "): value if isinstance(value, str) else f"{value:,g}"
        for name, value in values.items()
        if name not in _UNUSED
    }
