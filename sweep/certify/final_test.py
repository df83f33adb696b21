"""Evaluates a winner on units that nothing was chosen by.

The only place that evaluates on the test split: once for each set of test units (``earlier_looks``). Every
look is recorded before it is made, in the database and in the user's ledger.
"""

import dataclasses
import datetime
import statistics
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sweep.certify.config_file import load_exported_data
from sweep.certify.earlier_looks import EarlierLooks, TestPart, all_looks, find_earlier_looks
from sweep.certify.evaluators.choice import Evaluator, evaluator_of
from sweep.certify.evaluators.models import Model, Source
from sweep.certify.ledger import append_to_ledger, ledger_lock, sketch_key
from sweep.certify.provenance import Provenance
from sweep.certify.replay import Comparison
from sweep.certify.units.certainty import Certainty
from sweep.storage.database import Database
from sweep.storage.database.optuna_schema import Storage
from sweep.storage.looks.look_writer import write_look
from sweep.storage.looks.test_looks import SeedLook, TestLook
from sweep.task import AnyTask, Config, check_has_test
from sweep.version import __version__


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class FinalTest:
    """What one look at the test split showed."""

    __test__ = False  # not a test class, whatever its name says to pytest

    task: AnyTask
    look: TestLook
    number: int
    """1 for the first look at these units; see ``earlier_looks``. 0 if nothing guards them."""
    comparisons: tuple[Comparison, ...]
    """For each seed the exported dev loss beside that of its model now."""
    certainty: Certainty
    """How far seeds and units let the test loss be known."""
    n_kept: int = 0
    """Models that were not evaluated on dev again; see ``Model.is_kept``."""

    @property
    def verdict(self) -> str:
        """The worst of the comparisons: ``equal`` or ``within tolerance``; or that nothing was compared."""
        if self.n_kept == len(self.comparisons):
            return "of the kept checkpoints"
        return max((comparison.verdict for comparison in self.comparisons), key=len)


def run_final_test(
    config: Config,
    provenance: Provenance,
    database: Database,
    *,
    section: Mapping[str, Any],
    again: str,
    device: str,
    say: Callable[[str], None],
) -> FinalTest:
    """Evaluate an exported configuration once on the test split, on all its certified seeds.

    The models are the stored ones where they are kept, else they are trained again. Before the look is
    recorded their dev losses must come out as exported.

    Args:
        config: As exported.
        provenance: Where it comes from.
        database: The look is recorded in it; the models may be kept beside it.
        section: The ``[data]`` section of the export, perhaps with another source.
        again: Reason for another look at units that were looked at before; empty for none.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; where a model must be trained again.
        say: Called with a line on earlier looks, and on what takes long.

    Raises:
        DataError: If the data are not those of the export, or the weights are not finite.
        TestSplitError: If the trainer has no test split; ``earlier_looks.REPEATED`` of these test units or
            more were looked at before and ``again`` is empty; or a dev loss does not come out as exported.
    """
    data, storage = load_exported_data(section, provenance), database.open_for_writing()
    evaluator = evaluator_of(
        Source(provenance=provenance, data=data, database=database, device=device, say=say)
    )
    evaluator.check()
    part = TestPart.load(check_has_test(provenance.task), section)
    with ledger_lock():
        key = sketch_key()
    for sentence in _check_unused(part, storage, key, again).sentences():
        say(sentence)
    models = _models(evaluator, config, provenance, say)
    look = _new_look(config, provenance, models, part, why=again, key=key)
    with ledger_lock():  # two at once must not both find the units unused
        earlier = _check_unused(part, storage, key, again)
        _record(look, storage)
    look, found = _evaluate(evaluator, models, part, look, storage)
    return FinalTest(
        task=provenance.task,
        look=look,
        number=earlier.number,
        comparisons=tuple(model.dev for model in models),
        n_kept=sum(model.is_kept for model in models),
        certainty=found,
    )


def _check_unused(part: TestPart, storage: Storage, key: bytes, again: str) -> EarlierLooks:
    """Return the earlier looks at a test part; refuse a further one without a reason."""
    earlier = find_earlier_looks(part, all_looks(storage), key)
    earlier.check(again)
    return earlier


def _evaluate(
    evaluator: Evaluator, models: Sequence[Model], part: TestPart, look: TestLook, storage: Storage
) -> tuple[TestLook, Certainty]:
    """Make a look that is recorded, and complete its record."""
    found = evaluator.evaluate(models, part.units)
    look = dataclasses.replace(look, test_loss=found.mean, seeds=_seed_looks(models, found.losses))
    with ledger_lock():
        _record(look, storage)
    return look, found


def _models(
    evaluator: Evaluator, config: Config, provenance: Provenance, say: Callable[[str], None]
) -> list[Model]:
    """Return what is tested; raises as ``run_final_test``."""
    if provenance.certificate is None:
        say("the export holds no certificate: one seed is tested, the one that was chosen")
    return [evaluator.model(each, dev_loss) for each, dev_loss in _exported(config, provenance)]


def _exported(config: Config, provenance: Provenance) -> list[tuple[Config, float]]:
    """Return the certified seeds' configurations with their dev losses, or the one that was exported."""
    certificate = provenance.certificate
    if certificate is None:
        return [(config, provenance.dev_loss)]
    pairs = zip(certificate.seeds, certificate.dev_losses, strict=True)
    return [(config.replace(seed=seed), dev_loss) for seed, dev_loss in pairs]


def _new_look(
    config: Config,
    provenance: Provenance,
    models: Sequence[Model],
    part: TestPart,
    *,
    why: str,
    key: bytes,
) -> TestLook:
    """Return the look as it is recorded before the test units are evaluated."""
    return TestLook(
        look_id=uuid.uuid4().hex,
        started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        test_sha256=part.sha256,
        data_sha256=provenance.data_sha256,
        config_sha256=config.sha256(),
        study=provenance.study,
        trial=provenance.trial,
        dev_loss=statistics.fmean(model.dev.again for model in models),
        test_loss=None,
        why=why,
        version=__version__,
        seeds=_seed_looks(models, [None] * len(models)),
        sketch=part.sketch(key),
    )


def _seed_looks(models: Sequence[Model], losses: Sequence[float | None]) -> tuple[SeedLook, ...]:
    """Return each seed's losses by seed, or nothing where there is one seed only."""
    if len(models) == 1:
        return ()
    looks = [
        SeedLook(seed=model.config.seed, dev_loss=model.dev.again, test_loss=loss)
        for model, loss in zip(models, losses, strict=True)
    ]
    return tuple(sorted(looks, key=lambda look: look.seed))


def describe_test(final: FinalTest) -> Iterator[str]:
    """Yield what a look showed, as lines."""
    look, metric, n = final.look, final.task.metric, len(final.comparisons)
    several = f", mean of {n} seeds, spread {statistics.stdev(final.certainty.losses):.4f}" if n > 1 else ""
    exported = statistics.fmean(comparison.stored for comparison in final.comparisons)
    dev, test = metric.label, f"test {metric.noun}"
    unit = f" {metric.unit}" if metric.unit else ""
    yield f"{dev:<{len(test)}}  {look.dev_loss:.4f} ({final.verdict}, exported {exported:.4f})"
    number = f"look {final.number}" if final.number else "not guarded"
    yield f"{test}  {look.test_loss:.4f}{unit}{several} ({number}, recorded)"
    yield from (f"  {line}" for line in final.certainty.sentences(check_has_test(final.task).unit))


def _record(look: TestLook, storage: Storage) -> None:
    """Write a look down in both places, the study's own first, so that it is never behind."""
    write_look(storage, look)
    append_to_ledger(look)
