"""Compute how the best value of a study improved over its trials and its training seconds."""

import bisect
import dataclasses

from sweep.definition.records import StudyRecord, TrialRecord


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The finished trials of a study in the order in which they ended, one entry each."""

    seconds: list[float]
    """Training of all trials so far, added up."""
    best: list[float | None]
    """Best value so far; None before the first trial that has one."""

    @property
    def trials(self) -> list[int]:
        """How many trials had ended: 1, 2, 3 and so on."""
        return list(range(1, len(self.best) + 1))

    @property
    def found_after(self) -> tuple[int, float] | None:
        """Trials and seconds until the final best value was found; None if there is none."""
        if not self.best or self.best[-1] is None:
            return None
        place = self.best.index(self.best[-1])
        return place + 1, self.seconds[place]

    def after_trials(self, count: int) -> float | None:
        """Return the best value of the first ``count`` trials."""
        return self.best[min(count, len(self.best)) - 1] if count and self.best else None

    def after_seconds(self, seconds: float) -> float | None:
        """Return the best value of the trials that ended within a number of seconds of training."""
        return self.after_trials(bisect.bisect_right(self.seconds, seconds))


def progress_of(study: StudyRecord) -> Progress:
    """Return the progress of a study; pauses and the number of workers play no part."""
    ended = sorted((trial for trial in study.trials if trial.is_finished), key=_end)
    seconds: list[float] = []
    best: list[float | None] = []
    for trial in ended:
        seconds.append(trial.train_seconds + (seconds[-1] if seconds else 0.0))
        best.append(_better(study, best[-1] if best else None, trial))
    return Progress(seconds=seconds, best=best)


def _better(study: StudyRecord, best: float | None, trial: TrialRecord) -> float | None:
    if not trial.is_scored or trial.dev_loss is None:
        return best
    return trial.dev_loss if best is None else min(best, trial.dev_loss, key=study.as_loss)


def _end(trial: TrialRecord) -> tuple[float, int]:
    """Return what the ends of trials are sorted by; those without a time come first."""
    return (trial.ended.timestamp() if trial.ended else 0.0, trial.number)
