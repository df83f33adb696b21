"""Evaluate models with the study's own test: one run for each, on the files of its training."""

import dataclasses
import math
import shutil
from collections.abc import Sequence
from pathlib import Path

from sweep.certify.evaluators.models import Model, Source, check_equal
from sweep.certify.replay import Comparison
from sweep.certify.units.certainty import Certainty, certainty_over_seeds
from sweep.certify.weights import stored_trainings
from sweep.definition.sections.top_level import check_name
from sweep.errors import SweepError, TestSplitError
from sweep.storage.checkpoints import PACKED, Checkpoints
from sweep.task import Config, KeepsCheckpoints, TestsByRuns, TrialPlace


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ByRuns:
    """Find the folders of trainings, and run the test on them."""

    source: Source

    @property
    def _task(self) -> TestsByRuns:
        task = self.source.task
        assert isinstance(task, TestsByRuns), "evaluator_of checked it"
        return task

    def check(self) -> None:
        """Refuse a test that cannot be started; raises ``SweepError``."""
        self._task.check_test()

    def model(self, config: Config, exported: float) -> Model:
        """Return the model of a stored checkpoint, or else train it again; refuse one with another loss."""
        kept = self._kept(config, exported)
        if kept is not None:
            tolerance = self.source.task.metric.tolerance
            dev = Comparison(stored=exported, again=exported, tolerance=tolerance, seconds=0.0, state=b"")
            return Model(config=config, dev=dev, folder=kept, is_kept=True)
        folder = self._new_folder(config)
        dev = self.source.train(config, exported, folder)
        check_equal(dev, self.source.task)
        return Model(config=config, dev=dev, folder=folder)

    def compared(self, models: Sequence[Model]) -> tuple[Comparison, ...]:
        """Return the comparison of each model."""
        return tuple(model.dev for model in models)

    def evaluate(self, models: Sequence[Model], units: Sequence[str]) -> Certainty:
        """Evaluate the models on the test files."""
        return certainty_over_seeds([self._value(model) for model in models])

    def _value(self, model: Model) -> float:
        assert model.folder is not None, "every model of by_runs has a folder"
        source, seed = self.source, model.config.seed
        study = source.provenance.study
        source.say(f"testing seed {seed}")
        try:
            value = self._task.run_test(model.config, model.folder, study=study, device=source.on)
            if not math.isfinite(value):
                raise TestSplitError(f"it gave {value}")
        except SweepError as error:
            raise TestSplitError(
                f"the test failed on seed {seed}: {error}; its output is in {model.folder / 'test'}, and the "
                "look is recorded"
            ) from error
        return value

    def _kept(self, config: Config, exported: float) -> Path | None:
        """Return the folder of a configuration's stored training, if it has a checkpoint."""
        source = self.source
        study, database = source.provenance.study, source.database
        for name, trial in stored_trainings(source.task, config, exported, study, database):
            place = TrialPlace(study=name, folder=str(database.program_folder(name)))
            folder = place.trial_folder(trial.number)
            if self._task.has_checkpoint(folder):
                return folder
            if (packed := (Checkpoints(database.files / name).folder(trial.number)).read(PACKED)) is not None:
                return self._unpacked(packed, config)
        return None

    def _unpacked(self, packed: bytes, config: Config) -> Path | None:
        """Return a new folder with a checkpoint that another machine left beside the study's records."""
        task, folder = self.source.task, self._new_folder(config)
        if not isinstance(task, KeepsCheckpoints):
            return None
        task.unpack_checkpoint(packed, folder)
        return folder

    def _new_folder(self, config: Config) -> Path:
        """Return an empty folder for a training, inside that of the study."""
        study = check_name("provenance.study", self.source.provenance.study)
        folder = self.source.database.program_folder(study) / "tested" / config.sha256()[:16]
        shutil.rmtree(folder, ignore_errors=True)
        return folder
