"""What a trainer adds is merged into the generic registries, and loaded once."""

import dataclasses

import pytest

from sweep import task
from sweep.reporting.advice.checks import checks_of
from sweep.reporting.contributions import Contributions, contributions_of, merged
from sweep.reporting.evidence import Evidence
from sweep.reporting.exhibits import Exhibits, exhibits_of
from sweep.reporting.figures.plots import plots_of
from sweep.reporting.page.sections import sections_of
from tests.support.study_evidence import made_study


@dataclasses.dataclass(frozen=True)
class Entry:
    """An entry of a registry."""

    before: str = ""


def test_a_contributed_entry_precedes_the_generic_one_that_it_names() -> None:
    """Several before one entry keep their order; without a name an entry comes last."""
    generic = {"a": Entry(), "b": Entry()}
    own = {"p": Entry(before="b"), "q": Entry(before="b"), "last": Entry()}
    assert list(merged(generic, own)) == ["a", "p", "q", "b", "last"]
    assert merged(generic, {}) == generic


def test_a_trainer_without_contributions_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The capability is optional."""
    monkeypatch.setitem(task.BUILT_IN, "toy", "tests.support.toy_task:TOY")
    study = made_study()
    study.identity["trainer"] = "toy"
    assert contributions_of(study) == Contributions()
    assert exhibits_of(study) == Exhibits()


def test_the_mlp_s_registries_are_in_order() -> None:
    """Plots, sections and checks, those of every trainer and the MLP's own among them."""
    study = made_study()
    assert list(plots_of(study)) == [
        *("history", "history-seconds", "expected-best", "importances", "slices", "contour", "parallel"),
        "rungs",
        *("cost-parameters", "cost-seconds", "pareto", "lr-finder", "training-curve"),
        *("learning-curves", "embedding", "loss-by-position", "loss-by-character"),
    ]
    assert list(sections_of(study)) == [
        *("table", "advice", "confirmation", "configuration", "search", "mattered", "rungs", "cost"),
        "learning-rate",
        *("learned", "embedding", "words", "weak", "test", "provenance"),
    ]
    checks = "baselines failures bounds seeds gains new_words budgets rates auto-rates repeats"
    later = {"changed-code", "not-reproducible"}
    assert [name for name in checks_of(study) if name not in later] == checks.split()


def test_what_one_trainer_knows_is_made_once() -> None:
    """The same kind gives the same object, another evidence another one."""

    class Kind:
        """Holds the evidence that it was made of."""

        def __init__(self, evidence: Evidence) -> None:
            """Take the evidence."""
            self.evidence = evidence

    evidence = Evidence(made_study())
    assert evidence.more(Kind) is evidence.more(Kind)
    assert evidence.more(Kind).evidence is evidence
    assert Evidence(made_study()).more(Kind) is not evidence.more(Kind)
