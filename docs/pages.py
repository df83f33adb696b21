"""A hook of MkDocs: what the site of ``make docs`` has beyond the pages of this folder.

README, ARCHITECTURE, CONTRIBUTING and CHANGELOG are pages of the site too. A link to a file that the site
lacks, such as a module, becomes its text.
"""

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[1]
NAMES = {
    "README.md": "index.md",
    "ARCHITECTURE.md": "architecture.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""File in the repository's root -> its name in the site."""

_LINK = re.compile(r"(!?\[[^\]]*\])\(([^)\s]+)\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that lie in the root."""
    for name, page in NAMES.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, *, page: Page, files: Files, **_: Any) -> str:
    """Point links at the pages of the site."""
    here = page.file.src_uri
    folder = "" if here in NAMES.values() else posixpath.join("docs", posixpath.dirname(here))

    def in_site(link: re.Match[str]) -> str:
        text, target = link.groups()
        path, mark, anchor = target.partition("#")
        if not path or ":" in path:
            return link[0]
        named = posixpath.normpath(posixpath.join(folder, path))
        there = NAMES.get(named, named.removeprefix("docs/"))
        if named not in NAMES and (ROOT / named).exists() and files.get_file_from_path(there) is None:
            return text.strip("![]")
        return f"{text}({posixpath.relpath(there, posixpath.dirname(here) or '.')}{mark}{anchor})"

    return _LINK.sub(in_site, markdown)
