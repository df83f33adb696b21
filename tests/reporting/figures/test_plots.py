import dataclasses
import json
import math

import pytest

from sweep.definition.dimension import Choices
from sweep.errors import NotFoundError, NothingToShowError
from sweep.reporting.evidence import Evidence
from sweep.reporting.figures.plots import draw, plots_of
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.learning_rate.lr_finder import range_test
from sweep.trainers.mlp.shown.lr_finder_page import write_lr_finder
from tests.support.study_evidence import made_study, made_trial, trained_evidence

HOSTILE = '<img src=x onerror=alert(1)>&"\u202e\u2028</script><a href="javascript:alert(1)">'


@pytest.fixture(scope="module")
def evidence(tmp_path_factory, corpus, words_of_corpus):
    """A study of which every plot can be made."""
    folder = tmp_path_factory.mktemp("evidence")
    found = trained_evidence(folder, words_of_corpus)
    config = TrainConfig(block_size=2, embedding_dim=4, hidden_neurons=16, batch_size=16)
    write_lr_finder(range_test(config, corpus, steps=400), "made", reports=folder / "reports")
    return found


@pytest.fixture(scope="module")
def words_of_corpus(tmp_path_factory, corpus):
    """The forty words of ``corpus`` as a file."""
    from tests.conftest import WORDS

    path = tmp_path_factory.mktemp("words") / "words.txt"
    path.write_text("\n".join(WORDS.split()) + "\n")
    return path


PLOTS = plots_of(made_study())


@pytest.mark.parametrize("name", PLOTS)
class TestEveryPlot:
    """What holds for each plot of a study of the MLP; a new one joins by being there."""

    def test_numbers_are_plain(self, name, evidence):
        numbers = dataclasses.asdict(PLOTS[name].numbers(evidence))
        assert json.loads(json.dumps(numbers, allow_nan=False)) == numbers

    def test_figure_is_json_that_an_old_plotly_js_draws(self, name, evidence):
        """Plain traces, data as lists (no typed arrays), no NaN, and small."""
        text = draw(name, evidence).to_json()
        drawn = json.loads(text, parse_constant=pytest.fail)
        assert {trace["type"] for trace in drawn["data"]} <= {"scatter", "bar", "heatmap", "contour"}
        assert "bdata" not in text
        assert len(text) < 60_000

    def test_plotly_accepts_the_figure_as_it_is(self, name, evidence):
        """Every trace, setting and value is one that plotly knows, and none is changed by it."""
        figure = draw(name, evidence)
        assert json.loads(figure.to_plotly().to_json()) == json.loads(figure.to_json())

    def test_says_what_it_shows_and_how_to_read_it(self, name, evidence):
        plot = PLOTS[name]
        assert plot.title
        assert plot.reading.endswith(".")
        layout = draw(name, evidence).to_plotly().layout
        assert layout.xaxis.title.text or layout.xaxis.ticktext

    def test_a_study_without_trials_is_told_in_a_sentence(self, name, tmp_path):
        with pytest.raises(NothingToShowError, match=r"^[^\n]{20,}$"):
            draw(name, Evidence(made_study(), reports=tmp_path))


@pytest.mark.parametrize("name", ["history", "slices", "parallel", "cost-seconds", "pareto"])
@pytest.mark.parametrize(
    "trials",
    [
        [made_trial(0, 2.5)],
        [made_trial(0, 2.5), made_trial(1, math.nan), made_trial(2, math.inf)],
        [made_trial(0, 2.5), made_trial(1, 2.5, params={"block_size": 2})],
        [made_trial(k, 2.5, params={"block_size": 3}) for k in range(3)],
    ],
    ids=["one trial", "stored NaN and inf", "a parameter that one trial lacks", "one constant parameter"],
)
def test_poor_studies_are_drawn(name, trials, tmp_path):
    """Whatever trials there are, a figure without NaN comes out."""
    figure = draw(name, Evidence(made_study(*trials), reports=tmp_path))
    json.loads(figure.to_json(), parse_constant=pytest.fail)


@pytest.mark.parametrize("name", ["history", "slices", "parallel", "rungs"])
def test_hostile_text_is_no_markup(name, tmp_path):
    """Names, choices and reasons reach plotly escaped, since it reads a part of HTML."""

    space = {HOSTILE: Choices((HOSTILE, "b"))}
    trials = [made_trial(k, 2.5 + k / 10, params={HOSTILE: (HOSTILE, "b")[k % 2]}) for k in range(4)]
    trials.append(made_trial(4, state="failed", params={HOSTILE: "b"}, reason=HOSTILE))
    text = draw(name, Evidence(made_study(*trials, space=space), reports=tmp_path)).to_json()
    assert "<img" not in text
    assert "<a " not in text
    assert "\u202e" not in text


def test_an_unknown_plot_is_named_with_the_known_ones(tmp_path):
    with pytest.raises(NotFoundError, match=r"no plot 'loss'; known: history, .*loss-by-character"):
        draw("loss", Evidence(made_study(), reports=tmp_path))
