"""Find test units that another study of the database trained on."""

import json
from collections.abc import Iterator, Mapping

from sweep.certify.evaluators.by_units import held_out
from sweep.certify.provenance import Provenance
from sweep.certify.study_data import StudyData
from sweep.certify.test_split.look_guard import TestPart
from sweep.definition.records import StudyRecord
from sweep.errors import DataError, SweepError
from sweep.storage.database import Reader
from sweep.storage.study_names import study_names
from sweep.storage.study_reader import load_study
from sweep.task import HeldOut
from sweep.values import Toml


def leak_warnings(provenance: Provenance, section: Mapping[str, Toml], reader: Reader) -> Iterator[str]:
    """Yield a warning for each other data set whose training units include test units of an export.

    Units that repeat within one source occur in both of its parts; only a larger overlap than that gives a
    warning.

    Args:
        provenance: Origin of the exported configuration.
        section: The ``[data]`` section of the test.
        reader: The database of the other studies.
    """
    if not isinstance(provenance.task, HeldOut):
        return  # the units of its training data are unknown
    task = held_out(provenance.task)
    test = TestPart.load(task, section).keys
    own = len(test & set(map(task.unit_key, task.units(provenance.task.load_data(section), "train"))))
    for study in _other_data(provenance, reader):
        try:
            shared = len(test & StudyData(study).in_train)
        except DataError:
            yield (
                f"cannot tell whether these test {task.unit}s occurred in the training {task.unit}s of "
                f"{study.name!r}"
            )
            continue
        if shared > own:
            yield (
                f"{shared:,} of {len(test):,} distinct test {task.unit}s occur in the training {task.unit}s "
                f"of {study.name!r}; that study may have influenced this choice"
            )


def _other_data(provenance: Provenance, reader: Reader) -> Iterator[StudyRecord]:
    """Yield one study of the same trainer for each other data set in the database."""
    seen = set[tuple[str, str]]()
    for name in study_names(reader):
        try:
            study = load_study(reader, name)
        except SweepError:
            continue  # studies of other programs cannot be compared
        key = (study.data_sha256, json.dumps(study.identity["data"], sort_keys=True))
        if study.trainer == provenance.trainer and not _is_own(study, provenance) and key not in seen:
            seen.add(key)
            yield study


def _is_own(study: StudyRecord, provenance: Provenance) -> bool:
    """Return whether a study has the data and split of an export."""
    is_same = study.data_sha256 == provenance.data_sha256
    return is_same and bool(study.identity["data"].items() <= provenance.data.items())
