"""Write a value in Hydra's override grammar.

References:
    https://hydra.cc/docs/advanced/override_grammar/basic/
"""

import re

from sweep.values import Value

_PLAIN = re.compile(r"[A-Za-z_/][A-Za-z0-9_/.%@?-]*")
"""Text that needs no quotation marks, unless it is one of ``_WORDS``."""

_WORDS = re.compile(r"true|false|null|nan|inf", re.IGNORECASE)
"""Text that the grammar reads as another type."""


def hydra_text(value: Value) -> str:
    r"""Return the text of a value after ``=`` in an override.

    Raises:
        ValueError: If the value is not text, a number, a boolean, a list or None.

    Examples:
        >>> print(hydra_text([True, None, 1e-05, "adam", "a b", "it's"]))
        [true,null,1e-05,adam,'a b','it\'s']
    """
    if isinstance(value, list | tuple):
        return f"[{','.join(map(hydra_text, value))}]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return value if _PLAIN.fullmatch(value) and not _WORDS.fullmatch(value) else _quoted(value)
    raise ValueError(f"cannot express a value of type {type(value).__name__}")


def _quoted(text: str) -> str:
    r"""Return text in quotation marks.

    Hydra halves backslashes only before a quotation mark. OmegaConf reads ``${`` as a reference, and ``\${``
    as ``${``.
    """
    literal = re.sub(r"(\\*)\$\{", r"\1\1\\${", text)
    marked = re.sub(r"(\\*)'", r"\1\1\\'", literal)
    return "'" + re.sub(r"(\\+)$", r"\1\1", marked) + "'"
