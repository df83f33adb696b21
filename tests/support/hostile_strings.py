"""Text that means harm where it is taken for markup, a formula, a path or a command."""

import tempfile
import uuid
from pathlib import Path

OUTSIDE = f"outside-{uuid.uuid4().hex[:8]}"
"""The name of a file that must not come to be, and that nobody has made before."""
OUTSIDE_PATH = Path(tempfile.gettempdir()) / OUTSIDE

HOSTILE_STRINGS = {
    "script": "<script>owned()</script>",
    "closing-script": '</script><img src=x onerror="owned()">',
    "line-separator": "a\u2028b\u2029c",
    "formula-equals": '=HYPERLINK("http://evil.example")',
    "formula-plus": "+1+cmd|' /C calc'!A0",
    "formula-minus": "-1+cmd|' /C calc'!A0",
    "formula-at": "@SUM(1+1)",
    "dots": f"../../../{OUTSIDE}",
    "absolute-path": str(OUTSIDE_PATH),
    "nul": "a\0b",
    "sql": "'; DROP TABLE studies; --",
    "300-characters": "x" * 300,
    "escapes": "\x1b[31mred\x1b[2J\x07",
}
"""What it is -> the text."""
