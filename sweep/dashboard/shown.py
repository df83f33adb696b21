"""What a study carries for visitors of the Optuna dashboard; ``showcase`` stores it."""

import dataclasses
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

_NAMESPACE = uuid.UUID("5c3b1c9e-6f0a-4a53-9d58-0d1d5a3f8e10")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file to download."""

    filename: str
    mimetype: str
    """Nothing that a browser would run: it is served from the dashboard's own origin."""
    content: bytes

    @property
    def artifact_id(self) -> str:
        """The same for the same file, another for another."""
        digest = hashlib.sha256(self.content).hexdigest()
        return str(uuid.uuid5(_NAMESPACE, f"{digest} {self.filename}"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Showcase:
    """What a study shows beside the dashboard's own plots."""

    figures: Mapping[str, Any]
    """Id (ASCII letters, digits, ``-_.``) -> plotly ``Figure``, or None to remove it. Others stay."""
    note: str
    """Markdown."""
    trial_notes: Mapping[int, str]
    """Trial number -> Markdown; notes of ours on other trials are removed."""
    artifacts: Sequence[Artifact]
    """Take the place of those that were here before."""
