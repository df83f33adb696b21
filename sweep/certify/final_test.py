"""Evaluates a winner on words that nothing was chosen by.

The only place that evaluates on the test split: once for each set of test words (``earlier_looks``). Every
look is recorded before it is made, in the database and in the user's ledger.
"""

import collections
import dataclasses
import datetime
import statistics
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from sweep import __version__
from sweep.certify.certainty import Certainty, certainty
from sweep.certify.config_file import Provenance, load_exported_data
from sweep.certify.earlier_looks import all_looks, find_earlier_looks, hash_words
from sweep.certify.ledger import append_to_ledger, ledger_lock, sketch_key
from sweep.certify.replay import TOLERANCE, Comparison, choose_place, train_again
from sweep.certify.weights import kept_weights
from sweep.definition.records import StudyRecord
from sweep.errors import DataError, SweepError, TestSplitError
from sweep.storage.database import Database, Storage
from sweep.storage.study_store import load_study, study_names
from sweep.storage.test_looks import SeedLook, TestLook, read_looks, write_look
from sweep.storage.word_sketch import WordSketch
from sweep.tasks.mlp.config import TrainConfig
from sweep.tasks.mlp.corpus import Corpus, decode_words, load_test_words, load_train_words
from sweep.tasks.mlp.spelling import normalized
from sweep.tasks.mlp.trainer import MLP


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinalTest:
    """What one look at the test split showed."""

    __test__ = False  # not a test class, whatever its name says to pytest

    look: TestLook
    number: int
    """1 for the first look at these words; see ``earlier_looks``."""
    comparisons: tuple[Comparison, ...]
    """For each seed the exported dev loss beside that of its model now."""
    certainty: Certainty
    """How far seeds and words let the test loss be known."""

    @property
    def verdict(self) -> str:
        """The worst of the comparisons: ``equal`` or ``within tolerance``."""
        return max((comparison.verdict for comparison in self.comparisons), key=len)


def run_final_test(
    config: TrainConfig,
    provenance: Provenance,
    database: Database,
    *,
    words: str,
    again: str,
    device: str,
    say: Callable[[str], None],
) -> FinalTest:
    """Evaluate an exported configuration once on the test split, on all its certified seeds.

    The models are the stored ones where they are kept, else they are trained again. Before the test
    words are read their dev losses must come out as exported.

    Args:
        config: As exported.
        provenance: Where it comes from.
        database: The look is recorded in it; the models may be kept beside it.
        words: Path of the words file.
        again: Reason for another look at words that were looked at before; empty for none.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; where a model must be trained again.
        say: Called with a line on earlier looks, and on what takes long.

    Raises:
        DataError: If the words are not those of the export, or the weights are not finite.
        TestSplitError: If ``earlier_looks.REPEATED`` of these test words or more were looked at before and
            ``again`` is empty, or a dev loss does not come out as exported.
    """
    data, storage = load_exported_data(words, provenance), database.open_for_writing()
    test_words = load_test_words(words, dedupe=provenance.dedupe)
    with ledger_lock():
        key = sketch_key()
    earlier = find_earlier_looks(test_words, words, all_looks(storage), key)
    earlier.check(again)
    for sentence in earlier.sentences():
        say(sentence)
    models = _models(config, provenance)
    comparisons = []
    for model in models:
        state = kept_weights(*model, provenance.study, database)
        if state is None:
            say(
                f"training trial {provenance.trial} of {provenance.study!r} again, {config.num_steps:,} steps"
            )
            place = choose_place(MLP, provenance.place, device)
            comparisons.append(train_again(MLP, model.config, data, model.dev_loss, place))
        else:
            comparisons.append(_compare(model, data, state))
        _check_equal(comparisons[-1])
        MLP.check_weights(comparisons[-1].state)  # before the look is recorded
    look = TestLook(
        look_id=uuid.uuid4().hex,
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        test_sha256=hash_words(test_words),
        data_sha256=data.sha256,
        config_sha256=config.sha256(),
        study=provenance.study,
        trial=provenance.trial,
        dev_loss=statistics.fmean(comparison.again for comparison in comparisons),
        test_loss=None,
        why=again,
        version=__version__,
        seeds=_seed_looks(models, comparisons, [None] * len(models)),
        sketch=WordSketch.of(test_words, key),
    )
    with ledger_lock():  # two at once must not both find the words unused
        earlier = find_earlier_looks(test_words, words, all_looks(storage), key)
        earlier.check(again)
        _record(look, storage)
    counts = collections.Counter(test_words)
    repeats, distinct = np.array(list(counts.values())), list(counts)
    nll = np.array(
        [MLP.word_losses(m.config, data, c.state, distinct) for m, c in zip(models, comparisons, strict=True)]
    )
    found = certainty(nll * repeats, np.array([len(word) + 1 for word in distinct]) * repeats)
    seeds = _seed_looks(models, comparisons, found.losses)
    look = dataclasses.replace(look, test_loss=found.mean, seeds=seeds)
    with ledger_lock():
        _record(look, storage)
    return FinalTest(look=look, number=earlier.number, comparisons=tuple(comparisons), certainty=found)


class _Model(NamedTuple):
    """One configuration with its seed, and the dev loss that was exported for it."""

    config: TrainConfig
    dev_loss: float


def _models(config: TrainConfig, provenance: Provenance) -> list[_Model]:
    """Return the certified seeds' models, or the one exported model where nothing was certified."""
    certificate = provenance.certificate
    if certificate is None:
        return [_Model(config, provenance.dev_loss)]
    pairs = zip(certificate.seeds, certificate.dev_losses, strict=True)
    return [_Model(config.replace(seed=seed), dev_loss) for seed, dev_loss in pairs]


def _compare(model: _Model, data: Corpus, state: bytes) -> Comparison:
    """Return a kept state with its dev loss as it is now beside the exported one."""
    again = MLP.words_loss(model.config, data, state, decode_words(data.dev, data.vocabulary))
    return Comparison(stored=model.dev_loss, again=again, seconds=0.0, state=state)


def _check_equal(comparison: Comparison) -> None:
    if comparison.verdict == "different":
        again, stored = f"{comparison.again:.4f}", f"{comparison.stored:.4f}"
        raise TestSplitError(
            f"the dev loss came out as {again}, but {stored} was exported (more than {TOLERANCE} apart): "
            f"this is not the model that was chosen, and the test split was not touched"
        )


def _seed_looks(
    models: Sequence[_Model], comparisons: Sequence[Comparison], losses: Sequence[float | None]
) -> tuple[SeedLook, ...]:
    """Return each seed's losses by seed, or nothing where there is one seed only."""
    if len(models) == 1:
        return ()
    looks = [
        SeedLook(seed=model.config.seed, dev_loss=comparison.again, test_loss=loss)
        for model, comparison, loss in zip(models, comparisons, losses, strict=True)
    ]
    return tuple(sorted(looks, key=lambda look: look.seed))


def describe_test(final: FinalTest) -> Iterator[str]:
    """Yield what a look showed, as lines."""
    look, n = final.look, len(final.comparisons)
    several = f", mean of {n} seeds, spread {statistics.stdev(final.certainty.losses):.4f}" if n > 1 else ""
    exported = statistics.fmean(comparison.stored for comparison in final.comparisons)
    yield f"dev loss   {look.dev_loss:.4f} ({final.verdict}, exported {exported:.4f})"
    yield f"test loss  {look.test_loss:.4f} nats per character{several} (look {final.number}, recorded)"
    yield from (f"  {line}" for line in final.certainty.sentences())


def looks_of_study(study: StudyRecord, storage: Storage) -> list[TestLook]:
    """Return every recorded look at the test words of a study's words file."""
    sha256 = study.data_sha256
    return [look for look in read_looks(storage) if look.data_sha256 == sha256]


def leak_warnings(provenance: Provenance, words: str, storage: Storage) -> Iterator[str]:
    """Say where the test words stood among the training words of another study's list.

    Words that repeat within one list stand in both of its parts; only a larger share than that
    is worth a warning.
    """
    test_words = set(map(normalized, load_test_words(words, dedupe=provenance.dedupe)))
    own = len(test_words & set(map(normalized, load_train_words(words, dedupe=provenance.dedupe))))
    for study in _other_lists(provenance, storage):
        try:
            data = MLP.load_data(study.data)
            train_words = load_train_words(study.data["words"], dedupe=study.data["dedupe"])
        except DataError:
            yield f"cannot say whether these test words stood in the training words of {study.name!r}"
            continue
        shared = len(test_words & set(map(normalized, train_words)))
        if data.sha256 == study.data_sha256 and shared > own:
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
        key = (study.data_sha256, study.data["dedupe"])
        if key not in seen:
            seen.add(key)
            yield study


def _record(look: TestLook, storage: Storage) -> None:
    """Write a look down in both places, the study's own first, so that it is never behind."""
    write_look(storage, look)
    append_to_ledger(look)
