"""Write small tables of facts as HTML, for objects that a notebook shows."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

SHOWN, SHOWN_ROWS = ("rank", "trial", "mean", "sd", "n", "tied", "search_loss"), 10
"""Columns, and number of candidates, that a notebook shows of a verdict."""


def facts_html(title: str, facts: Mapping[str, Any]) -> str:
    """Return a title and a table with a line for each fact that is known; every text is escaped.

    Examples:
        >>> facts_html("a < b", {"mean": 2.5, "tied": None})
        '<p><b>a &lt; b</b></p><table><tbody><tr><th>mean</th><td>2.5000</td></tr></tbody></table>'
    """
    lines = (f"<tr><th>{_text(name)}</th><td>{_text(value)}</td></tr>" for name, value in facts.items())
    known = "".join(line for line, value in zip(lines, facts.values(), strict=True) if value is not None)
    return f"<p><b>{_text(title)}</b></p><table><tbody>{known}</tbody></table>"


def rows_html(records: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> str:
    """Return some columns of rows as a table; every text is escaped.

    Examples:
        >>> rows_html([{"rank": 1, "tied": True}], ["tied"])
        '<table><thead><tr><th>tied</th></tr></thead><tbody><tr><td>yes</td></tr></tbody></table>'
    """
    head = "".join(f"<th>{_text(name)}</th>" for name in columns)
    cells = (map(_text, map(record.get, columns)) for record in records)
    body = "".join(f"<tr><td>{'</td><td>'.join(texts)}</td></tr>" for texts in cells)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def verdict_line(verdict: Any) -> str:
    """Return a ``verdict.Verdict`` in one line."""
    chosen = "no trial chosen yet" if verdict.chosen is None else f"trial {verdict.chosen.trial} chosen"
    mean = verdict.certified_mean
    certified = "" if mean is None else f", certified mean {mean:.4f} over {len(verdict.certified)} seeds"
    return f"<Verdict: {chosen} among {len(verdict.rows)}{certified}>"


def verdict_html(verdict: Any) -> str:
    """Return a ``verdict.Verdict`` as two small tables: the choice, and the first candidates."""
    facts = {
        "chosen": None if verdict.chosen is None or verdict.choice is None else verdict.choice.reason,
        "tied for the best mean": ", ".join(map(str, verdict.tied)) or None,
        "certified mean": verdict.certified_mean,
        "spread over seeds": verdict.certified_sd,
        "certifying seeds": len(verdict.certified) or None,
        "optimism of the search": verdict.optimism,
    }
    title = "Not chosen yet" if verdict.chosen is None else f"Trial {verdict.chosen.trial} is chosen"
    columns = [name for name in SHOWN if name in verdict.rows.columns]
    return facts_html(title, facts) + rows_html(verdict.rows.first(SHOWN_ROWS).records, columns)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4f}" if isinstance(value, float) else html.escape(str(value))
