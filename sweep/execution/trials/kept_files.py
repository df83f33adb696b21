"""Keep all files of the best trials, and of the others a thinned loss curve."""

import bisect
from collections.abc import Iterable

from sweep.definition.records import TrialRecord
from sweep.execution.trials.kept_checkpoints import NoCheckpoints, Tidies
from sweep.metric import MINIMIZE, as_loss
from sweep.storage.checkpoints import Checkpoints


class KeptFiles:
    """The files of finished trials.

    One of several drivers tidies only the files of trials that it ended itself, because two drivers in one
    folder would conflict. The last driver of a study tidies all files.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        keep: int,
        *,
        is_alone: bool,
        direction: str = MINIMIZE,
        programs: Tidies | None = None,
    ) -> None:
        """Initialize without trials.

        Args:
            checkpoints: The study's files.
            keep: Number of best trials whose files are kept.
            is_alone: Whether no other driver may use the folder.
            direction: Direction of the metric.
            programs: Tidies the checkpoints of programs; None for a trainer without any.
        """
        self._checkpoints, self._keep, self._direction = checkpoints, keep, direction
        self._programs = programs or NoCheckpoints()
        self._tidies_all = is_alone
        self._ended_here: set[int] = set()
        self._best: list[tuple[float, int]] = []
        """(loss, number) of the trials whose files are kept, lowest loss first."""

    def start_from(self, trials: Iterable[TrialRecord]) -> None:
        """Start from the stored trials, and tidy files that a killed run left."""
        ended = [trial for trial in trials if trial.is_finished]
        losses = [(trial.dev_loss, trial.number) for trial in ended if trial.dev_loss is not None]
        ranked = sorted((as_loss(self._direction, loss), number) for loss, number in losses)
        self._best = ranked[: self._keep]
        kept = {number for _, number in self._best}
        for trial in ended:
            timed_out = trial.state == "timeout"
            self._tidy(trial.number, keep=trial.number in kept, with_program=not timed_out)

    def tidy_all(self, trials: Iterable[TrialRecord]) -> None:
        """Tidy every finished trial's files, as the last driver of the study."""
        self._tidies_all = True
        self.start_from(trials)

    def tidy_rest(self) -> None:
        """Tidy the files of programs that were still ending, after all have ended."""
        self._programs.tidy_rest()

    def take_charge(self, number: int) -> None:
        """Tidy the files of a trial that ended here from now on."""
        self._ended_here.add(number)

    def close(self, number: int, dev_loss: float | None, *, timed_out: bool = False) -> None:
        """Keep all files of a finished trial if it is among the best; thin those of the trial it displaces.

        The files of a program that exceeded its time limit are kept, because they may have taken hours.
        """
        if dev_loss is None:
            self._tidy(number, keep=False, with_program=not timed_out)
            return
        bisect.insort(self._best, (as_loss(self._direction, dev_loss), number))
        out = self._best.pop()[1] if len(self._best) > self._keep else None
        if out != number:
            self._tidy(number, keep=True)
        if out is not None:
            self._tidy(out, keep=False)

    def _tidy(self, number: int, *, keep: bool, with_program: bool = True) -> None:
        if self._tidies_all or number in self._ended_here:
            self._checkpoints.close(number, keep=keep)
            if with_program:
                self._programs.tidy(number, keep=keep)
