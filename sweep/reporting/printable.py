"""Escape untrusted text, so that it cannot control a terminal or a page."""

import unicodedata

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode categories that move a cursor, turn the writing direction, break a line or cannot be
encoded: controls, formats, surrogates, line and paragraph separators."""


def printable(text: str) -> str:
    r"""Replace every character that has no shape of its own by its escape.

    Examples:
        >>> print(printable("red \x1b[31m alert"))
        red \x1b[31m alert
        >>> print(printable("zoë ± ε"))
        zoë ± ε
    """
    return "".join(_escape(c) if unicodedata.category(c) in _UNSEEN else c for c in text)


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
