"""Read text files that only grow, line by line, and may end in a line that a kill has cut."""

from pathlib import Path


def whole_lines(path: Path) -> list[str]:
    """Return the lines of a file that end; none if there is no file."""
    text = path.read_text() if path.exists() else ""
    return text[: text.rfind("\n") + 1].splitlines()


def cut_torn_line(path: Path) -> None:
    """Remove a last line that does not end, so that the next one begins on a line of its own."""
    if path.exists() and not path.read_bytes().endswith(b"\n"):
        path.write_text("".join(f"{line}\n" for line in whole_lines(path)))
