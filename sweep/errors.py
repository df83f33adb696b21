"""Every error that a user can meet, as one tree.

Each class is also the builtin that fits, so that ``except ValueError`` works for people who
call the library. ``exit_status`` is what the command line returns for it. ``key`` names the kind of
error; it stays the same if the text changes, so scripts and tests compare the key.

    SweepError                          exit
    ├── ConfigError (ValueError)         1   a TrainConfig field breaks its rule
    ├── StudyFileError (ValueError)      1   a study file breaks its rule
    ├── DataError (ValueError)           1   a words file cannot be used
    ├── RangeTestError (ValueError)      1   a learning-rate range test says nothing
    ├── NotFoundError (LookupError)      1   no such study, trial or file
    │   └── NothingToShowError           1   a figure or section lacks what it is made of
    ├── StudyConflictError (ValueError)  1   the stored study is another one, or is in use
    ├── TestSplitError (RuntimeError)    1   the test split was used already, or must not be
    ├── UntrustedError (RuntimeError)    1   a stored study's program was never run here by this user
    ├── DeviceError (RuntimeError)       1   the device asked for is not here
    ├── TooLargeError (MemoryError)      1   a configuration needs more memory than there is
    └── MachineError (OSError)       3   disk, permission, database
        ├── LibraryError                 3   a library is not of the version that sweep needs
        └── StorageError                 3   the database is locked, damaged or unreadable
            ├── StorageAddressError      1   what names the database, or its files, cannot be understood
            └── StorageUnreachableError  3   the database's server does not answer
"""


class SweepError(Exception):
    """Root of all foreseen errors: one line for each thing that is wrong: what, where, what to do.

    Args:
        lines: One text for each thing that is wrong.
        key: A more precise name of the kind of error than the class has.

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
        """One text for each thing that is wrong."""
        return tuple(map(str, self.args))

    def __str__(self) -> str:
        """Return the lines as one text."""
        return "\n".join(self.lines)


class ConfigError(SweepError, ValueError):
    """A hyperparameter breaks its rule."""

    key = "config"


class StudyFileError(SweepError, ValueError):
    """A study file breaks its rule."""

    key = "study-file"


class DataError(SweepError, ValueError):
    """A words file cannot be used as it stands."""

    key = "data"


class RangeTestError(SweepError, ValueError):
    """A learning-rate range test has too few points, or the loss never falls."""

    key = "range-test"


class NotFoundError(SweepError, LookupError):
    """A study, trial or file that was named does not exist."""

    key = "not-found"


class NothingToShowError(NotFoundError):
    """A figure or a section lacks what it is made of; the text says why and how to get it."""

    key = "nothing-to-show"


class StudyConflictError(SweepError, ValueError):
    """The stored study differs from the one asked for, or another driver owns it."""

    key = "study-conflict"


class TestSplitError(SweepError, RuntimeError):
    """The test split was used already, or must not be used for this configuration."""

    key = "test-split"
    __test__ = False  # not a test class, whatever its name says to pytest


class UntrustedError(SweepError, RuntimeError):
    """A stored study would run a program that this user has not run here."""

    key = "untrusted"


class DeviceError(SweepError, RuntimeError):
    """The device asked for is not present."""

    key = "device"


class TooLargeError(SweepError, MemoryError):
    """A configuration needs more memory than this machine has."""

    key = "too-large"


class MachineError(SweepError, OSError):
    """The machine failed us: disk full, no permission, no such device."""

    key = "machine"
    exit_status = 3


class LibraryError(MachineError):
    """A library lacks a name that sweep uses: it is older or newer than the versions that sweep accepts."""

    key = "library"


class StorageError(MachineError):
    """The database is locked, damaged, read-only or of an unknown kind."""

    key = "storage"


class StorageAddressError(StorageError):
    """What names a database, or its files, is written wrong; the machine was not asked anything."""

    key = "storage-address"
    exit_status = 1


class StorageUnreachableError(StorageError):
    """The server of the database does not answer, or lost the connection; later it may."""

    key = "storage-unreachable"
