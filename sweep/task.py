"""The seam: what a trainer must offer, and what it may.

Every other room knows a trainer by these protocols alone. ``Task`` is what each trainer has. The protocols
after it are capabilities: a trainer that lacks one gets the default of the function below it.
Trainers are found by name (``load_task``): those of ``BUILT_IN``, then the entry points of the group
``sweep.tasks`` that installed packages offer.
"""

import dataclasses
import importlib
import importlib.metadata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, cast, runtime_checkable

import numpy as np

from sweep.code import Code
from sweep.errors import DeviceError, NotFoundError
from sweep.metric import Fact as Fact  # noqa: PLC0414  trainers find all that they need here
from sweep.metric import Metric as Metric  # noqa: PLC0414  the same

BUILT_IN = {"mlp": "sweep.tasks.mlp.trainer:MLP"}
"""Name -> ``module:object`` of the trainers that travel with sweep."""

PROGRAMS = {"function": "sweep.tasks.function.kind:FUNCTION", "command": "sweep.tasks.command.kind:COMMAND"}
"""Kind of program that a study file can define -> ``module:object`` of it."""

_PROGRAM_TRAINER = "sweep.tasks.program.trainer"

DEFAULT_TASK = "mlp"
"""The trainer of a study that names none."""

ENTRY_POINTS = "sweep.tasks"
"""Group in which an installed package names its trainers."""


class Config(Protocol):
    """Hyperparameters of one run; equal configurations give equal numbers."""

    @property
    def num_steps(self) -> int:
        """Budget of the run, in steps."""

    @property
    def seed(self) -> int:
        """Root of everything random in the run."""

    def to_dict(self) -> dict[str, Any]:
        """Return all hyperparameters as plain values."""

    def replace(self, **changes: Any) -> Self:
        """Return a copy with some hyperparameters changed."""

    def sha256(self) -> str:
        """Return a hash of all hyperparameters."""


class Data(Protocol):
    """What is trained and evaluated on. It never holds the test split."""

    @property
    def sha256(self) -> str:
        """Hash of the source file."""

    def describe(self) -> str:
        """Return one line that says what was read."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The work between two rungs, done."""

    state: bytes
    """Everything needed to go on, as a safetensors file."""
    dev_loss: float
    """Loss over the dev split at the end of the segment."""
    losses: np.ndarray
    """Training loss of each step, or each reported value, float32, shape (N,)."""
    seconds: float
    """Wall time that the segment took."""
    steps: np.ndarray | None = None
    """Which steps ``losses`` are of, int64, shape (N,); None: every one of the segment."""
    average_loss: float | None = None
    """Loss over dev of the averaged weights, by which rungs are compared; None where none are kept."""
    found: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    """Hyperparameters that were found for the configuration before it was trained."""

    def steps_from(self, first_step: int) -> np.ndarray:
        """Return which steps ``losses`` are of, if the segment began at ``first_step``; int64, shape (N,)."""
        if self.steps is not None:
            return self.steps
        return np.arange(first_step, first_step + len(self.losses), dtype=np.int64)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SegmentJob:
    """A segment to be trained."""

    trial: int
    config: Any
    state: bytes | None
    """Where to go on; None is the beginning."""
    until_step: int
    averaged: bool = False
    """Whether the averaged weights are evaluated too."""
    find: tuple[str, ...] = ()
    """Hyperparameters to be found first; the segment says what was found."""
    number: int = 0
    """The trial's number; in a worker ``trial`` is what the pool calls the job."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class TrialPlace:
    """Where a trainer that runs programs keeps a trial's files."""

    study: str
    folder: str | None
    """Path of the study's folder on this machine; None for a temporary one."""
    cpus: int = 1
    """Cores that the trial may use."""


class JobQueue(Protocol):
    """Where a trainer of many segments at a time finds its jobs."""

    def take(self, *, wait: bool) -> list[SegmentJob]:
        """Return the jobs that have come; with ``wait`` at least one, or none if no more will come."""

    def is_dropped(self, trial: int) -> bool:
        """Tell whether nobody waits for a trial's segment any more."""


AUTO = "auto"
"""What a study gives for a hyperparameter that is to be found for each configuration."""

ConfigT = TypeVar("ConfigT", bound=Config)
DataT = TypeVar("DataT", bound=Data)


class Task(Protocol[ConfigT, DataT]):
    """A trainer. Instances can be sent to another process."""

    name: str
    """As a study file and ``BUILT_IN`` or an entry point name it."""
    version: int
    """Raised only when reference numbers change."""
    metric: Metric
    shown: tuple[str, ...]
    """Hyperparameters that every table shows, searched or fixed; empty for the searched ones alone."""

    def make_config(self, values: Mapping[str, Any]) -> ConfigT:
        """Build a configuration; raises ``ConfigError``."""

    def field_types(self) -> dict[str, type]:
        """Return the hyperparameters that a study may set, with their types."""

    def check_data_section(self, section: Mapping[str, Any]) -> dict[str, Any]:
        """Validate a study's ``[data]``, fill in defaults; raises ``DataError``."""

    def load_data(self, section: Mapping[str, Any]) -> DataT:
        """Read the data that ``[data]`` names; raises ``DataError``."""

    def train_segment(
        self,
        config: ConfigT,
        data: DataT,
        state: bytes | None,
        until_step: int,
        *,
        engine: str,
        device: str,
        averaged: bool = False,
    ) -> Segment:
        """Train from ``state`` (None: from the beginning) until ``until_step``.

        If ``averaged``, the loss of averaged weights comes too, if the trainer keeps any; every other number
        is the same.
        """

    def facts(self, config: ConfigT, data: DataT) -> dict[str, float]:
        """Return numbers of a run that are known before it; ``DescribesFacts`` tells which are shown."""

    def work(self, config: ConfigT, data: DataT) -> float:
        """Return what a run costs, in any unit: a function of the configuration, never a measured time."""


AnyTask = Task[Any, Any]
"""A trainer whose configuration and data types do not matter to the reader."""


def load_task(
    name: str, definition: Mapping[str, Any] | None = None, surroundings: Mapping[str, Any] | None = None
) -> AnyTask:
    """Return the trainer of a name; entry points are looked up only if it is not built in.

    Args:
        name: As a study names its trainer, or one of ``PROGRAMS``.
        definition: What the study says of a program (``Defined.definition``); None for every other trainer.
        surroundings: Where the program runs (``Defined.surroundings``); needed only to train.

    Raises:
        NotFoundError: If there is none of that name, or it cannot be imported.
    """
    if name in PROGRAMS:
        made = _imported(f"{_PROGRAM_TRAINER}:ProgramTask")(name, definition or {}, surroundings or {})
        return cast("AnyTask", made)
    if name in BUILT_IN:
        return cast("AnyTask", _imported(BUILT_IN[name]))
    points = {point.name: point for point in importlib.metadata.entry_points(group=ENTRY_POINTS)}
    if name not in points:
        known = ", ".join([*BUILT_IN, *sorted(points)])
        raise NotFoundError(f"no trainer {name!r} is installed; known: {known}")
    try:
        return cast("AnyTask", points[name].load())
    except (ImportError, AttributeError) as error:
        raise NotFoundError(
            f"trainer {name!r} cannot be loaded from {points[name].value}: {error}"
        ) from error


def program_of_study(kind: str, raw: Mapping[str, Any], here: Path) -> AnyTask:
    """Return the trainer that a study file defines; it runs a program of the user's own.

    Args:
        kind: One of ``PROGRAMS``.
        raw: The file's values.
        here: The file's folder.

    Raises:
        StudyFileError: With a line for each mistake.
    """
    made = _imported(f"{_PROGRAM_TRAINER}:program_of_study")(program_kind_named(kind), raw, here)
    return cast("AnyTask", made)


def program_kind_named(kind: str) -> Any:
    """Return one of ``PROGRAMS``, a ``tasks.program.program.ProgramKind``."""
    return _imported(PROGRAMS[kind])


def _imported(place: str) -> Any:
    module, _, target = place.partition(":")
    return getattr(importlib.import_module(module), target)


# Capabilities, each with what follows if a trainer lacks it.


@runtime_checkable
class Defined(Protocol):
    """Is defined by a study file: a program of the user's own."""

    study_keys: Collection[str]
    """Keys of a study file that define the trainer."""
    definition: Mapping[str, Any]
    """What they say, as plain values; part of the study's identity."""
    surroundings: Mapping[str, Any]
    """Where and how the program runs, as plain values; may change from run to run."""


def definition_of(task: AnyTask) -> dict[str, Any]:
    """Return what a study says of its trainer; by default nothing but the name."""
    return dict(task.definition) if isinstance(task, Defined) else {}


def surroundings_of(task: AnyTask) -> dict[str, Any]:
    """Return where and how a trainer's program runs; by default there is none."""
    return dict(task.surroundings) if isinstance(task, Defined) else {}


def study_keys(task: AnyTask) -> Collection[str]:
    """Return the keys of a study file that define its trainer; by default ``trainer`` alone does."""
    return task.study_keys if isinstance(task, Defined) else ()


@runtime_checkable
class ChecksProgram(Protocol):
    """Trains by a program of the user's own, which may be missing and may change."""

    def check_program(self, section: Mapping[str, Any]) -> Code:
        """Return the program's code; refuse a program that cannot be started here.

        Args:
            section: The checked ``[data]``, which may name further source files.
        """

    def program_changes(self) -> list[str]:
        """Return the names of files that changed since ``check_program``; quick, and nothing is started."""


def check_program(task: AnyTask, section: Mapping[str, Any]) -> Code | None:
    """Return the code of a trainer's program; None for an installed trainer.

    Raises:
        SweepError: If the program cannot be started here.
    """
    return task.check_program(section) if isinstance(task, ChecksProgram) else None


@runtime_checkable
class TriedOut(Protocol):
    """Trains by a program that nobody knows before it was tried out."""

    budget: str
    """Name of the hyperparameter that is a trial's length; empty if there is none."""
    reuses_process: bool
    """Whether one process runs several trials, one after the other."""
    work_folders: Collection[Path]
    """Folders in which the program may write, beside the trial's own."""

    def limits(self) -> Collection[str]:
        """Return what the trainer lacks, and what follows from it, one line each."""

    def is_named(self, name: str) -> bool:
        """Tell whether a source file of the program names a hyperparameter."""


def program_limits(task: AnyTask) -> Collection[str]:
    """Return what a trainer lacks; by default nothing is known."""
    return task.limits() if isinstance(task, TriedOut) else ()


def program_changes(task: AnyTask) -> list[str]:
    """Return the names of a program's files that changed since ``check_program``; by default none."""
    return task.program_changes() if isinstance(task, ChecksProgram) else []


@runtime_checkable
class RunsPrograms(Protocol):
    """Trains in programs of their own, which live on between the segments of a trial."""

    grace_s: float
    """Seconds that a program gets to end by itself."""

    def train_live(
        self,
        config: Any,
        data: Any,
        job: SegmentJob,
        place: TrialPlace,
        *,
        device: str,
        report: Callable[[int, float], None],
    ) -> Segment:
        """Go on with the trial's program until the job's step; start the program if none is alive.

        ``report`` is called with step and value of what the program reports.
        """

    def leave(self, trial: int) -> None:
        """End what is alive of a trial, by its number; returns when nothing is."""

    def leave_all(self) -> None:
        """End what is alive of any trial."""


@runtime_checkable
class ChecksRanges(Protocol):
    """Knows ranges in which a hyperparameter would change its meaning."""

    def check_range(self, name: str, low: float, high: float) -> None:
        """Refuse such a range; raises ``ConfigError``."""


def check_range(task: AnyTask, name: str, low: float, high: float) -> None:
    """Refuse a range that the trainer refuses; by default none is."""
    if isinstance(task, ChecksRanges):
        task.check_range(name, low, high)


@runtime_checkable
class DescribesFacts(Protocol):
    """Describes the facts that are shown beside the metric."""

    described_facts: Mapping[str, Fact]
    """Name, as in ``facts`` -> what it is, in the order of a table's columns."""


def described_facts(task: AnyTask) -> Mapping[str, Fact]:
    """Return the facts that are shown beside the metric; by default none."""
    return task.described_facts if isinstance(task, DescribesFacts) else {}


@runtime_checkable
class KeepsNotes(Protocol):
    """Notes findings beside the trials, which are stored with a study."""

    note_kinds: str
    """``module:object`` of a mapping: key in the database -> class of ``definition.notes.Note``. It is loaded
    whenever a study is read, so it must be cheap."""


@runtime_checkable
class Devices(Protocol):
    """Trains on more than the CPU, or by several engines."""

    def resolve_device(self, name: str) -> str:
        """Turn ``auto`` or a device name into the device that will be used; raises ``DeviceError``."""

    def list_devices(self, name: str) -> tuple[str, ...]:
        """Return all devices that ``auto`` or a device name means; raises ``DeviceError``."""

    def default_engine(self, device: str) -> str:
        """Return the name of the engine that trains on a device."""

    def check_engine(self, engine: str, device: str) -> None:
        """Refuse an engine that does not exist, or does not run on a device; raises ``DeviceError``."""


def list_devices(task: AnyTask, name: str) -> tuple[str, ...]:
    """Return all devices that ``auto`` or a device name means; by default the CPU alone.

    Raises:
        DeviceError: If the device is not present.
    """
    if isinstance(task, Devices):
        return task.list_devices(name)
    if name not in ("auto", "cpu"):
        raise DeviceError(f"trainer {task.name} trains on the CPU only, got device {name!r}")
    return ("cpu",)


def resolve_device(task: AnyTask, name: str) -> str:
    """Return the device that ``auto`` or a device name means; see ``list_devices``."""
    return task.resolve_device(name) if isinstance(task, Devices) else list_devices(task, name)[0]


def default_engine(task: AnyTask, device: str) -> str:
    """Return the engine that trains on a device; by default the trainer has one, of its own name."""
    return task.default_engine(device) if isinstance(task, Devices) else task.name


def check_engine(task: AnyTask, engine: str, device: str) -> None:
    """Refuse an engine that the trainer does not have on a device; raises ``DeviceError``."""
    if isinstance(task, Devices):
        task.check_engine(engine, device)
    elif engine != task.name:
        raise DeviceError(f"unknown engine {engine!r}; trainer {task.name} has no other than {task.name}")


@runtime_checkable
class NamesHonoured(Protocol):
    """Names the hyperparameters that each of its engines honours."""

    def honoured(self, engine: str) -> Collection[str]:
        """Return their names."""


def changed_fields(task: AnyTask, values: Mapping[str, Any]) -> set[str]:
    """Return the names of the hyperparameters that differ from their defaults."""
    defaults = task.make_config({}).to_dict()
    return {name for name, value in values.items() if value != defaults.get(name)}


def check_honoured(task: AnyTask, engine: str, changed: Iterable[str]) -> None:
    """Refuse hyperparameters that an engine would ignore; by default an engine honours all.

    Args:
        task: The trainer.
        engine: One of its engines.
        changed: Names of the hyperparameters that may differ from their defaults.

    Raises:
        DeviceError: If the engine does not know one of them.
    """
    ignored = set(changed) - set(task.honoured(engine)) if isinstance(task, NamesHonoured) else set()
    if ignored:
        raise DeviceError(
            f"engine {engine} does not know {', '.join(sorted(ignored))}; choose another engine"
        )


@runtime_checkable
class AddsFields(Protocol):
    """Has hyperparameters that earlier releases did not have."""

    later_fields: Mapping[str, Any]
    """Each with its default."""


def identifying_values(task: AnyTask, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as an identity has them: without those of ``later_fields`` at their default."""
    return without_defaults(values, task.later_fields if isinstance(task, AddsFields) else {})


def without_defaults(values: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values that have no default, or another one.

    Examples:
        >>> without_defaults({"rate": 0.1, "clip": 0.0, "warmup": 5}, {"clip": 0.0, "warmup": 0})
        {'rate': 0.1, 'warmup': 5}
    """
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


@runtime_checkable
class NamesSeedBound(Protocol):
    """Takes seeds below a bound of its own."""

    seed_bound: int


def seed_bound(task: AnyTask) -> int:
    """Return what a trainer's seeds stay below; by default 2**31, which every library takes."""
    return task.seed_bound if isinstance(task, NamesSeedBound) else 2**31


@runtime_checkable
class NamesShortRuns(Protocol):
    """Has runs that are too short to be compared before their end."""

    shortest_with_rungs: int
    """Steps of the shortest run that is compared at rungs."""


def shortest_with_rungs(task: AnyTask) -> int:
    """Return the steps of the shortest run that is compared at rungs; by default 2."""
    return task.shortest_with_rungs if isinstance(task, NamesShortRuns) else 2


@runtime_checkable
class PreparesWorkers(Protocol):
    """Has something to set up in a process before it trains."""

    def prepare_worker(self, data: Any, *, engine: str, device: str) -> None:
        """Pin threads, load libraries, compile what is compiled."""


def prepare_worker(task: AnyTask, data: Any, *, engine: str, device: str) -> None:
    """Set up a process that will train; by default there is nothing to do."""
    if isinstance(task, PreparesWorkers):
        task.prepare_worker(data, engine=engine, device=device)


@runtime_checkable
class ManyAtATime(Protocol):
    """Trains many segments at a time in one process."""

    def places(self, engine: str, device: str) -> int:
        """Return how many segments a process trains at a time; above 1 by ``train_segments``."""

    def train_segments(
        self, data: Any, jobs: JobQueue, *, engine: str, device: str
    ) -> Iterator[tuple[int, Segment | Exception]]:
        """Train jobs as they come; yield each trial's segment or fault when it has ended."""


def places(task: AnyTask, engine: str, device: str) -> int:
    """Return how many segments a process trains at a time; by default one."""
    return task.places(engine, device) if isinstance(task, ManyAtATime) else 1


@runtime_checkable
class FindsValues(Protocol):
    """Finds values of hyperparameters for a configuration that leaves them open."""

    auto_fields: tuple[str, ...]
    """Hyperparameters for which a study may give ``AUTO``."""

    def find_auto(
        self, config: Any, data: Any, names: Sequence[str], *, engine: str, device: str
    ) -> dict[str, Any]:
        """Find values of ``auto_fields`` for a configuration, whatever it has for them and its seed."""


def auto_fields(task: AnyTask) -> tuple[str, ...]:
    """Return the hyperparameters for which a study may give ``AUTO``; by default none."""
    return task.auto_fields if isinstance(task, FindsValues) else ()


def find_auto(
    task: AnyTask, config: Any, data: Any, names: Sequence[str], *, engine: str, device: str
) -> dict[str, Any]:
    """Find what a configuration leaves open; nothing if it leaves nothing open."""
    if not names:
        return {}
    assert isinstance(task, FindsValues), "the study file was checked"
    return task.find_auto(config, data, names, engine=engine, device=device)


@runtime_checkable
class ReadsFiles(Protocol):
    """Reads its data from files that ``[data]`` names."""

    def data_files(self, section: Mapping[str, Any]) -> Mapping[str, str]:
        """Return key of ``[data]`` -> path of the file that it names."""

    def data_sha256(self, section: Mapping[str, Any]) -> str:
        """Return ``Data.sha256`` of the files as they are now, without parsing them."""


def data_files(task: AnyTask, section: Mapping[str, Any]) -> Mapping[str, str]:
    """Return key of ``[data]`` -> path of the file that it names; by default there are none."""
    return task.data_files(section) if isinstance(task, ReadsFiles) else {}


def data_sha256(task: AnyTask, section: Mapping[str, Any]) -> str:
    """Return the hash of the data as they are now; by default they are loaded for it."""
    if isinstance(task, ReadsFiles):
        return task.data_sha256(section)
    return cast("str", task.load_data(section).sha256)


def data_name(task: AnyTask, section: Mapping[str, Any]) -> str:
    """Return what messages call the data: the paths of their files, or else ``the data``."""
    return ", ".join(data_files(task, section).values()) or "the data"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing of this machine that was looked at."""

    subject: str
    text: str
    is_good: bool = True


@runtime_checkable
class ExaminesMachine(Protocol):
    """Keeps something on this machine that can be damaged, such as compiled code."""

    def mend(self, device: str) -> str:
        """Repair what it keeps before training on a device; return a warning, or nothing if all is sound."""

    def examine(self) -> Iterator[Finding]:
        """Look at what it keeps, and change nothing."""

    def try_out(self, engine: str, device: str) -> None:
        """Train one step on data of its own; raises whatever a run would end with."""


def mend(task: AnyTask, device: str) -> str:
    """Repair what a trainer keeps on this machine; return a warning, or nothing."""
    return task.mend(device) if isinstance(task, ExaminesMachine) else ""


@runtime_checkable
class KnowsBaselines(Protocol):
    """Knows values that models without training reach."""

    def baselines(self, data: Any) -> dict[str, float]:
        """Return name -> value, in the metric's unit, highest first."""


def baselines(task: AnyTask, data: Any) -> dict[str, float]:
    """Return the values that models without training reach; by default none is known."""
    return task.baselines(data) if isinstance(task, KnowsBaselines) else {}


@runtime_checkable
class NeedsMemory(Protocol):
    """Knows how much memory a process needs."""

    def memory(self, config: Any, data: Any, *, device: str) -> int:
        """Return the bytes of this machine's memory that a process needs to train a run, estimated."""


def memory(task: AnyTask, config: Any, data: Any, *, device: str) -> int | None:
    """Return the bytes that a process needs, estimated; by default None, which is never refused."""
    return task.memory(config, data, device=device) if isinstance(task, NeedsMemory) else None


@runtime_checkable
class KnowsCeiling(Protocol):
    """Knows the value of a model that has learned nothing."""

    def loss_ceiling(self, data: Any) -> float:
        """Return it, in the metric's unit; a diverged trial appears to samplers at this value."""


def loss_ceiling(task: AnyTask, data: Any) -> float | None:
    """Return the value of knowing nothing; by default None."""
    return task.loss_ceiling(data) if isinstance(task, KnowsCeiling) else None


@runtime_checkable
class KnowsCopies(Protocol):
    """Knows that another file holds the same data."""

    def load_copy(self, section: Mapping[str, Any], sha256: str) -> Any:
        """Load the data; they get the hash of earlier files if those held the same data."""


def load_copy(task: AnyTask, section: Mapping[str, Any], sha256: str) -> Any:
    """Load data from what may be a copy of earlier files; by default only equal hashes are equal."""
    return task.load_copy(section, sha256) if isinstance(task, KnowsCopies) else task.load_data(section)


@runtime_checkable
class ChecksStates(Protocol):
    """Knows trained states that are no model."""

    def check_weights(self, state: bytes) -> None:
        """Refuse such a state; raises ``DataError``."""


def check_weights(task: AnyTask, state: bytes) -> None:
    """Refuse a trained state that is no model; by default every state is one."""
    if isinstance(task, ChecksStates):
        task.check_weights(state)


@runtime_checkable
class Splits(Protocol):
    """Cuts its data by a rule that belongs to a study's identity."""

    split_rule: str
    """How train, dev and test are cut, in words."""


def split_rule(task: AnyTask) -> str:
    """Return how the data are cut; by default no rule is known, and it is empty."""
    return task.split_rule if isinstance(task, Splits) else ""


@runtime_checkable
class HeldOut(Protocol):
    """Cuts its data into train, dev and a test part that trials cannot reach, made of countable units.

    A unit is what the data are a sample of, such as a word; what is uncertain about a loss is judged by
    drawing units again. A loss is the sum of the units' losses over the sum of their sizes.
    """

    unit: str
    """What a unit is called: ``word``."""
    split_rule: str
    """How train, dev and test are cut, in words."""

    def units(self, data: Any, part: str) -> list[str]:
        """Return the units of one part, ``train`` or ``dev``, of loaded data; repeats count."""

    def load_test_units(self, section: Mapping[str, Any]) -> list[str]:
        """Read the units of the test part. The final test alone calls this; raises ``DataError``."""

    def same_source(self, section: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return each ``[data]`` section that cuts the same source, in this way or in another."""

    def unit_key(self, unit: str) -> str:
        """Return the form in which units that count as the same are equal."""

    def unit_losses(self, config: Any, data: Any, state: bytes, units: Sequence[str]) -> np.ndarray:
        """Return each unit's summed loss under a trained state, float64, shape (U,)."""

    def unit_sizes(self, units: Sequence[str]) -> np.ndarray:
        """Return how much each unit counts, shape (U,); for a word its characters and its end."""

    def units_loss(self, config: Any, data: Any, state: bytes, units: Sequence[str]) -> float:
        """Return the exact loss over some units, in the metric's unit."""


@runtime_checkable
class Contributes(Protocol):
    """Adds figures, sections, checks and commands of its own to what is shown."""

    contributions: str
    """``module:object`` of a ``reporting.contributions.Contributions``, loaded when something is shown."""
