"""Evaluate a winner on the test split, or several configurations in one look.

No other module evaluates on the test split: it is used once for each set of test units (``look_guard``).
Every look is recorded before it happens, in the database and in the user's ledger.
"""

import dataclasses
import datetime
import statistics
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

from sweep.certify.config_file import load_exported_data
from sweep.certify.evaluators.choice import Evaluator, evaluator_of
from sweep.certify.evaluators.models import Model, Source
from sweep.certify.provenance import Provenance
from sweep.certify.replay import Comparison
from sweep.certify.test_split.ledger import append_to_ledger, ledger_lock, sketch_key
from sweep.certify.test_split.look_guard import EarlierLooks, TestPart, all_looks, find_earlier_looks
from sweep.certify.units.certainty import Certainty
from sweep.errors import TestSplitError
from sweep.storage.database import Database
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.looks.look_writer import write_look
from sweep.storage.looks.stored_looks import SeedLook, TestLook
from sweep.task import AnyTask, Config, check_has_test
from sweep.values import Toml
from sweep.version import __version__


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinalTest:
    """The result of one look at the test split."""

    __test__ = False  # pytest would collect it as a test class because of its name

    task: AnyTask
    look: TestLook
    number: int
    """Number of the look at these units, from 1; see ``look_guard``. 0 if the units are unknown."""
    comparisons: tuple[Comparison, ...]
    """For each seed, the exported dev loss and the current one of its model."""
    certainty: Certainty
    """Uncertainty of the test loss over seeds and units."""
    n_kept: int = 0
    """Number of models that were not evaluated on dev again; see ``Model.is_kept``."""

    @property
    def verdict(self) -> str:
        """The worst comparison, ``equal`` or ``within tolerance``; another text if nothing was compared."""
        if self.n_kept == len(self.comparisons):
            return "of the kept checkpoints"
        return max((comparison.verdict for comparison in self.comparisons), key=len)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """One exported configuration that a look evaluates."""

    config: Config
    provenance: Provenance
    section: Mapping[str, Toml]
    """The ``[data]`` section of the export, perhaps with another source."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    """The models of an export, ready to be evaluated on the test split."""

    task: AnyTask
    evaluator: Evaluator
    models: tuple[Model, ...]
    comparisons: tuple[Comparison, ...]
    part: TestPart
    look: TestLook


def run_final_test(
    exports: Sequence[Exported], database: Database, *, again: str, device: str, say: Callable[[str], None]
) -> tuple[FinalTest, ...]:
    """Evaluate exported configurations on the test split in one look, each on all its certified seeds.

    The models are the stored ones if they are kept; otherwise they are trained again. All their dev losses
    must match the exported ones before the look is recorded.

    Args:
        exports: The configurations, at least one; their test units must be the same.
        database: Database that records the look; the models may be stored beside it.
        again: Reason for a repeated look; empty for none.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; used if a model must be trained again.
        say: Called with a line about earlier looks and about slow steps.

    Returns:
        The result of each configuration, in the order of ``exports``.

    Raises:
        DataError: If the data are not those of the export, or the weights are not finite.
        TestSplitError: If the trainer has no test split; the test units differ; the look is repeated
            (``look_guard.REPEATED``) and ``again`` is empty; or a dev loss is not the exported one.
    """
    storage = database.open_for_writing()
    evaluators = [_evaluator(export, database, device, say) for export in exports]
    part = _common_part(exports)
    with ledger_lock():
        key = sketch_key()
    for sentence in _check_unused(part, storage, key, again).sentences():
        say(sentence)
    group = uuid.uuid4().hex if len(exports) > 1 else ""
    candidates = [
        _candidate(export, evaluator, say, why=again, key=key, group=group)
        for export, evaluator in zip(exports, evaluators, strict=True)
    ]
    with ledger_lock():  # so that two processes cannot both find the units unused
        number = _check_unused(part, storage, key, again).number
        for candidate in candidates:
            _record(candidate.look, storage)
    return tuple(_evaluate(candidate, storage, number) for candidate in candidates)


def _evaluator(export: Exported, database: Database, device: str, say: Callable[[str], None]) -> Evaluator:
    """Return what evaluates the models of an export, checked; raises as ``run_final_test``."""
    provenance = export.provenance
    data = load_exported_data(export.section, provenance)
    source = Source(provenance=provenance, data=data, database=database, device=device, say=say)
    evaluator = evaluator_of(source)
    evaluator.check()
    return evaluator


def _part(export: Exported) -> TestPart:
    return TestPart.load(check_has_test(export.provenance.task), export.section)


def _common_part(exports: Sequence[Exported]) -> TestPart:
    """Return the test part of the first export, which is that of all; raises ``TestSplitError``."""
    first, *others = map(_part, exports)
    for part, export in zip(others, exports[1:], strict=True):
        if not part.is_guarded or part.sha256 != first.sha256:
            raise TestSplitError(
                f"one look evaluates configurations on the same test {first.task.unit}s; those of "
                f"{export.provenance.study!r} differ from those of {exports[0].provenance.study!r}, or are "
                "unknown; test each configuration by itself"
            )
    return first


def _check_unused(part: TestPart, storage: Storage, key: bytes, again: str) -> EarlierLooks:
    """Return the earlier looks at a test part; refuse a repeated look without a reason."""
    earlier = find_earlier_looks(part, all_looks(storage), key)
    earlier.check(again)
    return earlier


def _candidate(
    export: Exported, evaluator: Evaluator, say: Callable[[str], None], *, why: str, key: bytes, group: str
) -> _Candidate:
    """Load or train the models of an export, compare them with it, and prepare the record of the look."""
    models, compared = _models(evaluator, export.config, export.provenance, say)
    part = _part(export)
    look = _new_look(export, models, part, compared=compared, why=why, key=key, group=group)
    return _Candidate(
        task=export.provenance.task,
        evaluator=evaluator,
        models=tuple(models),
        comparisons=compared,
        part=part,
        look=look,
    )


def _evaluate(candidate: _Candidate, storage: Storage, number: int) -> FinalTest:
    """Evaluate a recorded look, and complete its record."""
    models = candidate.models
    found = candidate.evaluator.evaluate(models, candidate.part.units)
    losses = found.losses if len(found.losses) == len(models) else [None] * len(models)  # of an ensemble
    look = dataclasses.replace(candidate.look, test_loss=found.mean, seeds=_seed_looks(models, losses))
    with ledger_lock():
        _record(look, storage)
    return FinalTest(
        task=candidate.task,
        look=look,
        number=number,
        comparisons=candidate.comparisons,
        n_kept=sum(model.is_kept for model in models),
        certainty=found,
    )


def _models(
    evaluator: Evaluator, config: Config, provenance: Provenance, say: Callable[[str], None]
) -> tuple[list[Model], tuple[Comparison, ...]]:
    """Return the models to test, and how they compare with the export; raises as ``run_final_test``."""
    if provenance.certificate is None:
        say("the export has no certificate: only the seed of the search, which is biased, is tested")
    models = [evaluator.model(each, dev_loss) for each, dev_loss in provenance.seed_models(config)]
    return models, evaluator.compared(models)


def _new_look(
    export: Exported,
    models: Sequence[Model],
    part: TestPart,
    *,
    compared: Sequence[Comparison],
    why: str,
    key: bytes,
    group: str,
) -> TestLook:
    """Return the record of a look before the test units are evaluated."""
    provenance = export.provenance
    return TestLook(
        look_id=uuid.uuid4().hex,
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        test_sha256=part.sha256,
        data_sha256=provenance.data_sha256,
        config_sha256=export.config.sha256(),
        study=provenance.study,
        trial=provenance.trial,
        dev_loss=statistics.fmean(comparison.again for comparison in compared),
        test_loss=None,
        why=why,
        version=__version__,
        seeds=_seed_looks(models, [None] * len(models)),
        sketch=part.sketch(key),
        group=group,
    )


def _seed_looks(models: Sequence[Model], losses: Sequence[float | None]) -> tuple[SeedLook, ...]:
    """Return the losses of each seed, in order of seed; empty for a single seed."""
    if len(models) == 1:
        return ()
    looks = [
        SeedLook(seed=model.config.seed, dev_loss=model.dev.again, test_loss=loss)
        for model, loss in zip(models, losses, strict=True)
    ]
    return tuple(sorted(looks, key=lambda look: look.seed))


def describe_test(final: FinalTest) -> Iterator[str]:
    """Yield the result of a look, as lines."""
    look, metric, n = final.look, final.task.metric, len(final.comparisons)
    several = f", mean of {n} seeds, spread {statistics.stdev(final.certainty.losses):.4f}" if n > 1 else ""
    several = f", ensemble of {len(look.seeds)} seeds, not certified" if look.is_of_ensemble else several
    exported = statistics.fmean(comparison.stored for comparison in final.comparisons)
    dev, test = f"certified {metric.label}" if n > 1 else metric.label, f"test {metric.noun}"
    unit = f" {metric.unit}" if metric.unit else ""
    width = max(len(dev), len(test))
    yield f"{dev:<{width}}  {look.dev_loss:.4f} ({final.verdict}, exported {exported:.4f})"
    number = f"look {final.number}" if final.number else "not guarded"
    yield f"{test:<{width}}  {look.test_loss:.4f}{unit}{several} ({number}, recorded)"
    yield from (f"  {line}" for line in final.certainty.sentences(check_has_test(final.task).unit))


def _record(look: TestLook, storage: Storage) -> None:
    """Record a look in the database, then in the ledger, so that the database is never behind."""
    write_look(storage, look)
    append_to_ledger(look)
