"""The winner's configuration and the search space in the report."""

import html
import re

from sweep.certify.config_file import load_config
from sweep.reporting.evidence import Evidence
from sweep.reporting.page.configuration import allowed_values, configuration_section
from tests.support.study_evidence import made_study, made_trial, many_trials


def cells(markup):
    """Return hyperparameter -> (winner's value, what it may be), as a reader sees them."""
    rows = [
        [html.unescape(text) for text in re.findall(r"<td class=t>([^<]*)", row)]
        for row in markup.partition("<tbody>")[2].partition("</tbody>")[0].split("<tr>")[1:]
    ]
    return {name.strip(): (value.strip(), allowed.strip()) for name, value, allowed in rows}


def test_every_hyperparameter_has_its_value_and_what_it_may_be():
    evidence = Evidence(made_study(*many_trials(8)))
    shown = cells(configuration_section(evidence).markup)
    winner = evidence.winner
    assert shown["hidden_neurons"] == (str(winner.params["hidden_neurons"]), "4 to 64, logarithmic")
    assert shown["num_steps"][1] == "40, 80"
    assert shown["batch_size"] == ("32", "fixed")
    assert set(shown) == {*evidence.study.searched, *evidence.study.fixed}


def test_a_real_number_is_written_in_full():
    study = made_study(made_trial(0, 2.5, params={**made_trial(0).params, "learning_rate": 0.123456789012}))
    assert cells(configuration_section(Evidence(study)).markup)["learning_rate"][0] == "0.123456789012"


def test_the_file_on_the_page_is_the_winner_that_sweep_train_takes(tmp_path):
    evidence = Evidence(made_study(*many_trials(8)))
    text = re.search(r"(?s)<pre><code>(.*?)</code></pre>", configuration_section(evidence).markup)[1]
    path = tmp_path / "best.toml"
    path.write_text(html.unescape(text))
    config, provenance = load_config(path)
    assert provenance.trial == evidence.winner.number
    assert config.to_dict() == evidence.study.config_values(evidence.winner)


def test_a_hyperparameter_that_the_winner_lacks_is_not_active():
    study = made_study(made_trial(0, 2.5, params={"block_size": 2, "num_steps": 40}))
    study.identity["when"] = {"learning_rate": {"block_size": [3, 4]}}
    shown = cells(configuration_section(Evidence(study)).markup)
    assert shown["learning_rate"] == ("inactive", "0.01 to 1.0, logarithmic, if block_size = 3 or 4")


def test_what_the_trainer_finds_is_named():
    study = made_study(space={})
    study.identity["fixed"]["learning_rate"] = "auto"
    assert allowed_values(study)["learning_rate"] == "found for each configuration"


def test_a_study_without_a_winner_has_its_space_alone():
    markup = configuration_section(Evidence(made_study(made_trial(0)))).markup
    assert cells(markup)["block_size"] == ("", "2 to 4")
    assert cells(markup)["batch_size"] == ("32", "fixed")
    assert "<details>" not in markup
