"""How good is the winner on words that nothing was chosen by?

The only place that reads the test split. One look per set of test words, known by their hash;
every look is recorded before it is made, in the database and in the user's ledger.
"""

import dataclasses
import datetime
import hashlib
import uuid
from collections.abc import Callable, Iterable, Iterator

from sweep import __version__
from sweep.errors import DataError, SweepError, TestSplitError
from sweep.results.config_file import Provenance, load_exported_data
from sweep.results.ledger import append_to_ledger, ledger_lock, read_ledger
from sweep.results.replay import TOLERANCE, Comparison, choose_place, train_again
from sweep.search.database import Storage
from sweep.search.records import StudyRecord
from sweep.search.study_store import load_study, study_names
from sweep.search.test_looks import TestLook, read_looks, write_look
from sweep.task.config import TrainConfig
from sweep.task.corpus import load_test_words, load_train_words
from sweep.task.mlp import MLP


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinalTest:
    """What one look at the test split showed."""

    __test__ = False  # not a test class, whatever its name says to pytest

    look: TestLook
    number: int
    """1 for the first look at these words."""
    comparison: Comparison
    """The exported dev loss beside that of this training."""


def run_final_test(
    config: TrainConfig,
    provenance: Provenance,
    storage: Storage,
    *,
    words: str,
    again: str,
    device: str,
    say: Callable[[str], None],
) -> FinalTest:
    """Train an exported configuration, check its dev loss, and evaluate the test split once.

    Args:
        config: As exported.
        provenance: Where it comes from.
        storage: Opened for writing; the look is recorded in it.
        words: Path of the words file.
        again: Reason for another look at words that were looked at before; empty for none.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
        say: Called with a line on what takes long.

    Raises:
        DataError: If the words are not those of the export.
        TestSplitError: If these test words were looked at before and ``again`` is empty, or the
            dev loss does not come out as exported.
    """
    data = load_exported_data(words, provenance)
    test_words = load_test_words(words, dedupe=provenance.dedupe)
    test_sha256 = _hash_words(test_words)
    _check_unused(looks_at(test_sha256, storage), again)
    place = choose_place(MLP, provenance.place, device)
    say(f"training trial {provenance.trial} of {provenance.study!r} again, {config.num_steps:,} steps")
    stored = provenance.dev_loss
    comparison = train_again(MLP, config, data, stored, place)
    if comparison.verdict == "different":
        raise TestSplitError(
            f"the dev loss came out as {comparison.again:.4f}, but {stored:.4f} was exported (more than "
            f"{TOLERANCE} apart): this is not the model that was chosen, and the test split was not touched"
        )
    look = TestLook(
        look_id=uuid.uuid4().hex,
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        test_sha256=test_sha256,
        data_sha256=data.sha256,
        config_sha256=config.sha256(),
        study=provenance.study,
        trial=provenance.trial,
        dev_loss=comparison.again,
        test_loss=None,
        why=again,
        version=__version__,
    )
    with ledger_lock():  # two at once must not both find the words unused
        earlier = looks_at(test_sha256, storage)
        _check_unused(earlier, again)
        _record(look, storage)
    test_loss = MLP.words_loss(config, data, comparison.state, test_words)
    look = dataclasses.replace(look, test_loss=test_loss)
    _record(look, storage)
    return FinalTest(look=look, number=len(earlier) + 1, comparison=comparison)


def _check_unused(earlier: list[TestLook], again: str) -> None:
    if earlier and not again:
        raise TestSplitError(
            f"these test words were looked at before ({earlier[-1].describe()}); the loss of a further look "
            f'is no longer that of unseen words. If you must, give a reason: --again "why"'
        )


def looks_at(test_sha256: str, storage: Storage) -> list[TestLook]:
    """Return every look at some test words that this database or this user's ledger knows."""
    looks = {look.look_id: look for look in [*read_ledger(), *read_looks(storage)]}
    return sorted(
        (look for look in looks.values() if look.test_sha256 == test_sha256), key=lambda k: k.started
    )


def looks_of_study(study: StudyRecord, storage: Storage) -> list[TestLook]:
    """Return every recorded look at the test words of a study's words file."""
    sha256 = study.identity["data_sha256"]
    return [look for look in read_looks(storage) if look.data_sha256 == sha256]


def leak_warnings(provenance: Provenance, words: str, storage: Storage) -> Iterator[str]:
    """Say where the test words stood among the training words of another study's list.

    Words that repeat within one list stand in both of its parts; only a larger share than that
    is worth a warning.
    """
    test_words = set(load_test_words(words, dedupe=provenance.dedupe))
    own = len(test_words & set(load_train_words(words, dedupe=provenance.dedupe)))
    for study in _other_lists(provenance, storage):
        try:
            data = MLP.load_data(study.data)
            train_words = load_train_words(study.data["words"], dedupe=study.data["dedupe"])
        except DataError:
            yield f"cannot say whether these test words stood in the training words of {study.name!r}"
            continue
        shared = len(test_words & set(train_words))
        if data.sha256 == study.identity["data_sha256"] and shared > own:
            yield (
                f"{shared:,} of {len(test_words):,} distinct test words stand in the training words of "
                f"{study.name!r}; what was learned there may have reached this choice"
            )


def _other_lists(provenance: Provenance, storage: Storage) -> Iterable[StudyRecord]:
    """Return one study of each other words list in the database."""
    seen = {(provenance.data_sha256, provenance.dedupe)}
    for name in study_names(storage):
        try:
            study = load_study(storage, name)
        except SweepError:
            continue  # a study of another program has no words
        key = (study.identity["data_sha256"], study.data["dedupe"])
        if key not in seen:
            seen.add(key)
            yield study


def _record(look: TestLook, storage: Storage) -> None:
    append_to_ledger(look)
    write_look(storage, look)


def _hash_words(words: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(words)).encode()).hexdigest()
