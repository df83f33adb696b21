"""Find the files of a training program, hash them and detect changes.

The files of a function are those that its process imported; those of a script are the ones that its source
imports. Only files below the user's own folders count, without installed libraries.
"""

import ast
import hashlib
import os
import re
import stat
import subprocess
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from sweep.code import Code
from sweep.trainers.program.own_files import is_own

_GIT_S = 10.0
"""Time limit of a git command, in seconds."""

_GROUP = 500
"""Most files per git command, because the length of a command line is limited."""


class CodeWatch:
    """Compares the files of a program with their hashes; a file is read only if its status has changed."""

    def __init__(
        self,
        code: Code,
        folder: Path,
        sources: Sequence[str] = (),
        sound: Mapping[str, tuple[int, ...]] = MappingProxyType({}),
    ) -> None:
        """Watch the files of ``code``.

        Args:
            code: The hashes.
            folder: As for ``read_code``.
            sources: As for ``read_code``.
            sound: Name -> ``status_of`` a file just before its hash was made.
        """
        self.code, self._folder, self._sources = code, folder, sources
        self._sound = dict(sound)
        """Name -> status of the file when its hash was last verified."""

    def changes(self) -> list[str]:
        """Return the names of files that are new, gone or different now."""
        added = {_relative(path, self._folder) for glob in self._sources for path in self._folder.glob(glob)}
        added = {name for name in added - self.code.files.keys() if (self._folder / name).is_file()}
        return sorted([*added, *filter(self._differs, self.code.files)])

    def names(self, parameter: str) -> bool:
        """Return whether a file contains the name of a parameter, with underscores or hyphens."""
        word = re.escape(parameter).replace("_", "[-_]").encode()
        pattern = re.compile(rb"(?<![A-Za-z0-9_])" + word + rb"(?![A-Za-z0-9_]|-[A-Za-z])")
        files = (self._folder / name for name in self.code.files)
        return any(pattern.search(path.read_bytes()) for path in files if path.is_file())

    def _differs(self, name: str) -> bool:
        path = self._folder / name
        try:
            found = os.stat(path)
            if not stat.S_ISREG(found.st_mode):
                return True  # reading a pipe would block
            status = status_of(found)
            if self._sound.get(name) != status:
                if _digest(path) != self.code.files[name]:
                    return True
                self._sound[name] = status
        except OSError:
            return True
        return False


def status_of(found: os.stat_result) -> tuple[int, ...]:
    """Return what changes whenever the content of a file does."""
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def read_code(files: Iterable[Path], *, folder: Path, sources: Sequence[str] = ()) -> Code:
    """Hash the files of a program and get their git commit.

    Args:
        files: Absolute paths.
        folder: The study file's folder, absolute.
        sources: Globs of further files, relative to the folder.

    Raises:
        ValueError: If a glob is absolute or matches no file.
        OSError: If a file cannot be read.
    """
    found = {*files, *(path for glob in sources for path in _matching(folder, glob))}
    named = {_relative(path, folder): path for path in found}
    commit, is_dirty = _git_state(folder, sorted(found))
    return Code(
        files={name: _digest(named[name]) for name in sorted(named)}, commit=commit, is_dirty=is_dirty
    )


def imported_files(roots: Collection[Path]) -> set[Path]:
    """Return the user's files below ``roots`` that this process has imported."""
    paths = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return {Path(path) for path in paths if isinstance(path, str) and _is_below(Path(path), roots)}


def named_imports(script: Path, roots: Sequence[Path]) -> set[Path]:
    """Return a script and the user's files that its source imports, directly or indirectly.

    Nothing is imported; imports within functions count, computed names do not.

    Args:
        script: Absolute path of a Python file.
        roots: Absolute folders in which modules are searched for, in order.
    """
    found: set[Path] = set()
    todo = [script]
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += (near for near in _imports_of(path, roots) if _is_below(near, roots))
    return found


def _matching(folder: Path, glob: str) -> list[Path]:
    if Path(glob).is_absolute() or ".." in Path(glob).parts:
        raise ValueError(f"sources: {glob!r} must be a glob below the study file's folder")
    found = [path for path in folder.glob(glob) if path.is_file()]
    if not found:
        raise ValueError(f"sources: {glob!r} matches no file in {folder}")
    return found


def _relative(path: Path, folder: Path) -> str:
    """Return a path relative to a folder, the same on every machine and for every link to the folder."""
    if not path.is_relative_to(folder):
        real = path.parent.resolve() / path.name
        if real.is_relative_to(folder.resolve()):
            path, folder = real, folder.resolve()
    shared = next(parent for parent in (folder, *folder.parents) if path.is_relative_to(parent))
    up = [".."] * (len(folder.parts) - len(shared.parts))
    return "/".join([*up, *path.relative_to(shared).parts])


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_below(path: Path, roots: Collection[Path]) -> bool:
    return path.is_file() and is_own(str(path)) and any(path.is_relative_to(root) for root in roots)


def _imports_of(path: Path, roots: Sequence[Path]) -> Iterator[Path]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _module_files(alias.name, roots)
        elif isinstance(node, ast.ImportFrom):
            base = [path.parents[node.level - 1]] if 0 < node.level <= len(path.parents) else roots
            for alias in node.names:
                name = f"{node.module}.{alias.name}" if node.module else alias.name
                yield from _module_files(name, base)


def _module_files(name: str, roots: Sequence[Path]) -> Iterator[Path]:
    """Yield the files of a module and its packages; the last part of ``name`` may be a name in the module."""
    parts = name.split(".")
    for root in roots:
        if (root / parts[0]).is_dir() or (root / f"{parts[0]}.py").is_file():
            for depth in range(1, len(parts) + 1):
                place = root.joinpath(*parts[:depth])
                yield from (
                    p for p in (place / "__init__.py", place.with_name(f"{place.name}.py")) if p.is_file()
                )
            return


def _git_state(folder: Path, files: Sequence[Path]) -> tuple[str | None, bool | None]:
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return None, None
    status = ("--literal-pathspecs", "status", "--porcelain", "--untracked-files=all", "--ignored", "--")
    groups = [files[start : start + _GROUP] for start in range(0, len(files), _GROUP)]
    changed = [_git(folder, *status, *map(str, group)) for group in groups]
    return commit.strip(), None if None in changed else any(changed)


def _git(folder: Path, *arguments: str) -> str | None:
    """Return the output of git, run without hooks and helpers; None without git or a repository."""
    options = ("-c", "core.fsmonitor=false", "--no-optional-locks")
    try:
        done = subprocess.run(  # noqa: S603  a list of arguments, no shell
            ["git", "-C", str(folder), *options, *arguments],  # noqa: S607  the user's own git
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=_GIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout
