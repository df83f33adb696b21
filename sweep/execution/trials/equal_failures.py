"""Stop a run whose trials all fail in the same way, as with a typo in the user's script.

Only the failures of this run count, so the run after the script was mended trains on. No run is stopped once
a trial of the study has ended in any other state, because the program can then train.
"""

import re
from collections.abc import Iterable

from sweep.definition.records import TrialRecord
from sweep.errors import SweepError, TrialsFailedError
from sweep.storage.study_names import confirmed_study

MOST_FAILURES = 5
"""Number of equal failures after which no further trial is started."""

_NUMBER = re.compile(r"[-+]?\d[\w.]*(?:[-+]\d+)?")


class EqualFailures:
    """Counts the failures of a run by their reason; a ``gate.Check``."""

    def __init__(self, study: str, trials: Iterable[TrialRecord]) -> None:
        """Begin a run of a study with these stored trials."""
        self._study = study
        self._can_train = any(trial.is_finished and trial.state != "failed" for trial in trials)
        self._failed: dict[str, list[TrialRecord]] = {}

    def learn(self, record: TrialRecord) -> None:
        """Count a trial that ended."""
        if record.state == "failed":
            self._failed.setdefault(without_numbers(record.reason or ""), []).append(record)
        elif record.is_finished:
            self._can_train = True

    def __call__(self) -> SweepError | None:
        """Return the error that names the reason if all trials fail; None while another may begin."""
        equal = max(self._failed.values(), key=len, default=[])
        if self._can_train or len(equal) < MOST_FAILURES:
            return None
        first = equal[0]
        log = f"`sweep log {self._study} {first.number}` prints its output; "
        return TrialsFailedError(
            f"{len(equal)} trials failed in the same way and none succeeded, the first with: {first.reason}; "
            f"no further trial was started; {'' if confirmed_study(self._study) else log}mend that and run "
            "the same command to train the remaining trials; if the program has changed, pass "
            '--code-changed "WHY"'
        )


def without_numbers(reason: str) -> str:
    """Return a reason without the numbers in it, which may be those of a trial.

    Examples:
        >>> without_numbers("exit code 1; ValueError: lr is 1.5e-05, not -3")
        'exit code #; ValueError: lr is #, not #'
    """
    return _NUMBER.sub("#", reason)
