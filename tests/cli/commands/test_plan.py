"""The command plan."""

import json
from pathlib import Path

from sweep.cli import main
from tests.support.command_line import (
    Capture,
)


def test_a_plan_spends_and_stores_nothing(small: Path, capsys: Capture) -> None:
    """It counts the variant's space, and what is stored of the study itself as done."""
    variant = ("--set", "search.hidden_neurons=5,9", "--format", "json", "--workers", "2")
    assert main(["plan", "studies/small.toml", *variant]) == 0
    plan = json.loads(capsys.readouterr().out)
    assert (plan["name"], plan["size"]) == ("small--hidden_neurons-5_9", 3 * 2 * 2)
    assert (plan["left"], plan["workers"]) == (6, 2)
    assert plan["baselines"].keys() >= {"uniform", "bigram count table"}
    assert main(["plan", "small"]) == 0
    assert "will do     0 of 6 trials; 6 are stored" in capsys.readouterr().out
    main(["list"])
    assert len(capsys.readouterr().out.splitlines()) == 1
