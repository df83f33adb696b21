"""Define the contents that a study adds to the Optuna dashboard; ``showcase`` stores them."""

import dataclasses
import hashlib
import uuid
from collections.abc import Mapping, Sequence

from sweep.values import Json

_NAMESPACE = uuid.UUID("5c3b1c9e-6f0a-4a53-9d58-0d1d5a3f8e10")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file for download."""

    filename: str
    mimetype: str
    """Must not be a type that browsers run, because the dashboard's own origin serves it."""
    content: bytes

    @property
    def artifact_id(self) -> str:
        """Identifier derived from the file's content and name."""
        digest = hashlib.sha256(self.content).hexdigest()
        return str(uuid.uuid5(_NAMESPACE, f"{digest} {self.filename}"))


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Showcase:
    """Contents that a study adds to the dashboard's own plots."""

    figures: Mapping[str, Json]
    """Id (ASCII letters, digits, ``-_.``) -> plotly ``Figure``, or None to remove it. Others are kept."""
    note: str
    """Markdown."""
    trial_notes: Mapping[int, str]
    """Trial number -> note in Markdown; sweep's notes on other trials are removed."""
    artifacts: Sequence[Artifact]
    """Files that replace sweep's earlier artifacts."""
