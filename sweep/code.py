"""Identify the code of a training program: the hashes of its files and the git commit they come from."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from sweep.values import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """The sources of one program."""

    files: dict[str, str]
    """Path relative to the study file's folder -> SHA-256 of the bytes."""
    commit: str | None = None
    """The commit that is checked out; None outside of a git repository."""
    is_dirty: bool | None = None
    """Whether one of the files differs from the commit, or is not in it; None without a commit."""

    @property
    def hash(self) -> str:
        """One hash of all names and contents.

        Examples:
            >>> Code(files={"a.py": "01"}).hash == Code(files={"a.py": "01"}, commit="f0").hash
            True
        """
        lines = "".join(f"{name}\0{digest}\n" for name, digest in sorted(self.files.items()))
        return hashlib.sha256(lines.encode()).hexdigest()

    def to_dict(self) -> dict[str, Json]:
        """Return the fields and the hash as plain values."""
        return {"hash": self.hash, **asdict(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Json]) -> "Code":
        """Build it from the result of ``to_dict``; ignore other keys and recompute the hash."""
        return cls(files=values["files"], commit=values["commit"], is_dirty=values["is_dirty"])

    def changes(self, now: "Code") -> list[str]:
        """Return the names of files that are new, gone or different in ``now``.

        Examples:
            >>> Code(files={"a.py": "01", "b.py": "02"}).changes(Code(files={"a.py": "03", "b.py": "02"}))
            ['a.py']
        """
        names = sorted(self.files.keys() | now.files.keys())
        return [name for name in names if self.files.get(name) != now.files.get(name)]
