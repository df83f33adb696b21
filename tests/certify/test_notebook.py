"""What a notebook shows of a confirmation's results."""

import re

from sweep.certify.notebook import facts_html, rows_html

HOSTILE = "</td><script>alert(1)</script>"


def test_texts_of_facts_and_rows_are_escaped() -> None:
    """Names, values and titles: whatever is not ours is text."""
    page = facts_html(HOSTILE, {HOSTILE: HOSTILE}) + rows_html([{HOSTILE: HOSTILE}], [HOSTILE])
    assert "<script" not in page
    assert page.count("&lt;script&gt;") == 5


def test_an_unknown_fact_has_no_line_and_an_unknown_cell_is_empty() -> None:
    """None is never shown as a word."""
    page = facts_html("t", {"mean": None, "seeds": 3}) + rows_html(
        [{"sd": None, "tied": False}], ["sd", "tied"]
    )
    assert re.findall(r"<t[hd]>([^<]*)", page) == ["seeds", "3", "sd", "tied", "", "no"]
