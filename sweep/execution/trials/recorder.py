"""Store a trial in training: first the files, then one transaction of the database.

So a kill between the two leaves at most an extra file.
"""

from sweep.execution.study_run import StudyRun
from sweep.execution.trials.running_trial import End, RunningTrial
from sweep.task import Segment


class Recorder:
    """Stores the progress and end of trials in training."""

    def __init__(self, run: StudyRun) -> None:
        """Initialize for a run."""
        self._cost = run.spec.cost
        self._writer, self._checkpoints = run.writer, run.checkpoints

    def store_found(self, trial: RunningTrial) -> None:
        """Store the hyperparameters that were found for a trial's configuration."""

        def write() -> None:
            self._writer.store_found(trial.trial_id, trial.found)
            self._writer.store_seal(trial.trial_id, trial.record().seal())

        self._writer.commit(trial.trial_id, write)

    def store_segment(self, trial: RunningTrial, first_step: int, segment: Segment, end: End | None) -> None:
        """Store a trial's last segment, which began at ``first_step``, and the trial's end with it."""
        step, steps = trial.step, None if segment.steps is None else segment.steps - 1
        self._checkpoints.write_segment(
            trial.number,
            first_step,
            step,
            segment.state,
            segment.losses,
            steps=steps,
        )

        def write() -> None:
            seal = None if end else trial.record().seal()  # an end stores its own seal
            self._writer.store_segments(trial.trial_id, trial.segments, seal)
            if trial.figures:
                self._writer.store_figures(trial.trial_id, trial.figures)
            if end is not None:
                self._write_end(trial, end)

        self._writer.commit(trial.trial_id, write)
        self._checkpoints.drop_states_before(trial.number, step)

    def store_end(self, trial: RunningTrial, end: End) -> None:
        """Store the end of a trial without a segment."""
        self._writer.commit(trial.trial_id, lambda: self._write_end(trial, end))

    def _write_end(self, trial: RunningTrial, end: End) -> None:
        record = trial.record(end)
        self._writer.end(
            trial.trial_id,
            end.state,
            seconds=trial.seconds,
            dev_loss=end.dev_loss,
            cost=None if self._cost is None else record.cost(self._cost),
            reason=end.reason,
            seal=record.seal(),
        )
