"""Escape CSV cells that a spreadsheet would run as formulas."""

import csv
import io

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001  full-width forms run too


def without_formula(text: str) -> str:
    """Return a cell's text, escaped if a spreadsheet would run it as a formula.

    Examples:
        >>> without_formula("=1+1"), without_formula("1+1")
        ("'=1+1", '1+1')
    """
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def rewrite_without_formulas(content: bytes) -> bytes:
    """Return a UTF-8 CSV file with all formulas escaped; numbers are unchanged."""
    rows = csv.reader(io.StringIO(content.decode(), newline=""))
    written = io.StringIO(newline="")
    csv.writer(written).writerows([[c if _is_number(c) else without_formula(c) for c in row] for row in rows])
    return written.getvalue().encode()


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text == text.strip()
