"""The command compare: two stored studies side by side, its page, and what it refuses."""

import json
from pathlib import Path

from sweep.cli import main
from tests.support.command_line import Capture


def test_two_studies_are_shown_side_by_side(small: Path, capsys: Capture) -> None:
    """A variant with two trials of its own; the page is written once, and again only with --force."""
    assert main(["run", "small", "--as", "narrow", "--trials", "2", "--set", "search.block_size=2..3"]) == 0
    capsys.readouterr()
    page = ["compare", "small", "narrow", "-o", "both.html"]
    assert main([*page, "--format", "json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [(row["study"], row["trials"]) for row in found["studies"]] == [("small", 6), ("narrow", 2)]
    assert found["equal"]["trials"] == 2
    assert found["different"] == {"block_size": {"small": "2 to 4", "narrow": "2 to 3"}}
    assert "small and narrow" in Path("both.html").read_text(encoding="utf-8")
    assert main(page) == 1
    assert "both.html exists and is not overwritten" in capsys.readouterr().err
    assert main([*page, "--force"]) == 0


def test_what_cannot_be_compared_costs_one_line(small: Path, capsys: Capture) -> None:
    """One study alone, one that is not stored, a file that is no page."""
    for words, says in (
        (["small"], "needs two or more different studies"),
        (["small", "absent"], "absent"),
        (["small", "small", "-o", "both.png"], "both.png must end in .html"),
    ):
        assert main(["compare", *words]) == 1
        lines = capsys.readouterr().err.strip().splitlines()
        assert len(lines) == 1, lines
        assert says in lines[0]
