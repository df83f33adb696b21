"""Define every error that sweep raises for a user, as one tree.

Each class also derives from the matching builtin, so that ``except ValueError`` works for callers of the
library. ``exit_status`` is the exit code of the command line. ``key`` names the kind of error; it stays the
same if the text changes, so scripts and tests compare the key.

    SweepError                          exit
    ├── ConfigError (ValueError)         1   a TrainConfig field breaks its rule
    │   └── OptionError                  2   the value of an option of a command breaks its rule
    ├── StudyFileError (ValueError)      1   a study file breaks its rule
    ├── DataError (ValueError)           1   a words file cannot be used
    ├── RangeTestError (ValueError)      1   a learning-rate range test is inconclusive
    ├── NotFoundError (LookupError)      1   no such study, trial or file
    │   └── NothingToShowError           1   a figure or section lacks its data
    ├── StudyConflictError (ValueError)  1   the stored study differs, or is in use
    ├── TestSplitError (RuntimeError)    1   the test split was used already, or must not be
    ├── UntrustedError (RuntimeError)    1   this user has not run the study's program here
    ├── TrialsFailedError (RuntimeError) 1   the first trials of a run all fail in the same way
    ├── GuestError (RuntimeError)        1   a study that Optuna made has no trainer
    ├── DeviceError (RuntimeError)       1   the requested device is not present
    ├── TooLargeError (MemoryError)      1   a configuration needs more memory than there is
    └── MachineError (OSError)       3   disk, permissions, database
        ├── LibraryError                 3   a library has an unsupported version
        └── StorageError                 3   the database is locked, damaged or unreadable
            ├── StorageAddressError      1   the address of a database or bucket is malformed or unfit
            └── StorageUnreachableError  3   the database's server does not answer
"""


class SweepError(Exception):
    """Root of all expected errors. Each line states one problem: what, where, what to do.

    Args:
        lines: One text for each problem.
        key: A more specific key than that of the class.

    Examples:
        >>> NotFoundError("no study 'x'").key, NotFoundError("no study 'x'", key="no-study").key
        ('not-found', 'no-study')
    """

    exit_status = 1
    key = "error"

    def __init__(self, *lines: object, key: str | None = None) -> None:
        super().__init__(*lines)
        if key is not None:
            self.key = key

    @property
    def lines(self) -> tuple[str, ...]:
        """One text for each problem."""
        return tuple(map(str, self.args))

    def __str__(self) -> str:
        """Return the lines as one text."""
        return "\n".join(self.lines)


class ConfigError(SweepError, ValueError):
    """A hyperparameter breaks its rule."""

    key = "config"


class OptionError(ConfigError):
    """The value of an option breaks its rule, or options exclude each other; the command is not begun."""

    key = "option"
    exit_status = 2


class StudyFileError(SweepError, ValueError):
    """A study file breaks its rule."""

    key = "study-file"


class DataError(SweepError, ValueError):
    """A words file cannot be used."""

    key = "data"


class RangeTestError(SweepError, ValueError):
    """A learning-rate range test has too few points, or the loss never falls."""

    key = "range-test"


class NotFoundError(SweepError, LookupError):
    """The named study, trial or file does not exist."""

    key = "not-found"


class NothingToShowError(NotFoundError):
    """A figure or section lacks its data; the text explains why and how to get them."""

    key = "nothing-to-show"


class StudyConflictError(SweepError, ValueError):
    """The stored study differs from the one asked for, or another driver owns it."""

    key = "study-conflict"


class TestSplitError(SweepError, RuntimeError):
    """The test split was used already, or must not be used for this configuration."""

    key = "test-split"
    __test__ = False  # pytest would collect it as a test class because of its name


class UntrustedError(SweepError, RuntimeError):
    """A stored study would run a program that this user has not run here."""

    key = "untrusted"


class TrialsFailedError(SweepError, RuntimeError):
    """The first trials of a run all fail in the same way, so that no further one was started."""

    key = "trials-failed"


class GuestError(SweepError, RuntimeError):
    """A study that Optuna made without sweep can be shown; it has no trainer that could run."""

    key = "guest"


class DeviceError(SweepError, RuntimeError):
    """The requested device is not present."""

    key = "device"


class TooLargeError(SweepError, MemoryError):
    """A configuration needs more memory than this machine has."""

    key = "too-large"


class MachineError(SweepError, OSError):
    """The machine failed: disk full, no permission, no such device."""

    key = "machine"
    exit_status = 3


class LibraryError(MachineError):
    """A library lacks a name that sweep uses: its version is older or newer than sweep supports."""

    key = "library"


class StorageError(MachineError):
    """The database is locked, damaged, read-only or of an unknown kind."""

    key = "storage"


class StorageAddressError(StorageError):
    """The address of a database or bucket is malformed or unfit; no connection was attempted."""

    key = "storage-address"
    exit_status = 1


class StorageUnreachableError(StorageError):
    """The database server does not answer, or dropped the connection; a retry may succeed."""

    key = "storage-unreachable"
