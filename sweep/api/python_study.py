"""A study that is defined in Python, in a script or a notebook; its trainer may be a function object."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweep.api.asked import open_database
from sweep.api.stored import StoredStudy, read_study
from sweep.api.training import confirm_stored, run_spec
from sweep.api.wording import in_python
from sweep.certify.config_file import choose_trial
from sweep.certify.confirm_plan import ConfirmSettings, difference_that_matters
from sweep.certify.replay import Comparison, Place, choose_place, config_of, train_again
from sweep.certify.statistics.selection import ALPHA
from sweep.certify.study_data import StudyData
from sweep.certify.trust import remember
from sweep.definition.registries import named_trainer
from sweep.definition.sections.top_level import parse_duration
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import parse_study
from sweep.execution.events import Observer
from sweep.execution.how import How, ignore, never
from sweep.execution.pools.pools import DEFAULT_POOL
from sweep.storage.database import Database
from sweep.storage.study_reader import load_study
from sweep.task import GIVEN, AnyTask, check_engine, trainer_of_function
from sweep.values import Toml, Value

if TYPE_CHECKING:
    import pandas


@in_python
def study(
    *,
    name: str,
    trainer: Callable[..., Any] | str | None = None,
    search: Mapping[str, Mapping[str, Toml]],
    storage: str | None = None,
    files: str | None = None,
    **settings: Any,
) -> "PythonStudy":
    """Define a study without a file; nothing is trained or stored yet.

    Args:
        name: Under which it is stored.
        trainer: A function of ``(config)`` or ``(config, report)``, also one of a notebook; or what a study
            file gives. A function is sent to processes of this machine and is not stored: to resume the
            study, give it again.
        search: Hyperparameter -> ``dict(low=..., high=..., log=...)`` or ``dict(choices=[...])``.
        storage: URL of the database; None is ``SWEEP_STORAGE``, else the command line's default.
        files: Folder or bucket of weights and curves beside a database on a server.
        settings: The other keys of a study file, such as ``metric="accuracy"``, ``direction="maximize"``,
            ``fixed={...}`` or ``budget="epochs"``.

    Raises:
        StudyFileError: With a line for each mistake.

    Examples:
        >>> parabola = sweep.study(
        ...     name="parabola",
        ...     trainer=lambda config: (config.x - 1) ** 2,
        ...     search={"x": dict(low=-5.0, high=5.0)},
        ... )  # doctest: +SKIP
        >>> parabola.run(trials=30).best["x"]  # doctest: +SKIP
        0.9871
    """
    raw = {"name": name, "search": search, **settings}
    raw = _plain(raw | ({"trainer": trainer} if isinstance(trainer, str) else {}))
    here = Path.cwd()
    task = trainer_of_function(trainer, raw, here) if callable(trainer) else named_trainer(raw, here)
    spec = parse_study(raw, task, default_name=name)
    return PythonStudy(spec, task, open_database(storage, files))


class PythonStudy:
    """A study that is defined in Python; ``sweep.study`` makes it."""

    def __init__(self, spec: StudySpec, task: AnyTask, database: Database) -> None:
        """Take the checked study, its trainer and where it is stored."""
        self.spec = spec
        self._task, self._database = task, database

    @in_python
    def run(
        self,
        *,
        trials: int | None = None,
        workers: int | None = None,
        timeout: str | None = None,
        replicates: int | None = None,
        device: str = "auto",
        pool: str = DEFAULT_POOL,
        observe: Observer = ignore,
        should_stop: Callable[[], bool] = never,
        code_changed: str | None = None,
        track: str | None = None,
    ) -> StoredStudy:
        """Train the study's trials, or continue with them; args and errors are those of ``sweep.run``."""
        asked = {"trials": trials, "replicates": replicates}
        changes: dict[str, Any] = {key: value for key, value in asked.items() if value is not None}
        changes |= {} if timeout is None else {"timeout": parse_duration("timeout", timeout)}
        remember(self.spec.program, self.spec.surroundings)
        how = How(
            workers=workers,
            device=device,
            pool=pool,
            observe=observe,
            should_stop=should_stop,
            code_changed=code_changed,
        )
        return run_spec(self._task, self.spec.replace(**changes), self._database, how, track)

    @in_python
    def confirm(
        self,
        *,
        top: int = 5,
        seeds: int = 5,
        certify: int = 5,
        race: bool = False,
        delta: float | None = None,
        alpha: float = ALPHA,
        workers: int | None = None,
        device: str = "auto",
        pool: str = DEFAULT_POOL,
        observe: Observer = ignore,
        should_stop: Callable[[], bool] = never,
        code_changed: str | None = None,
    ) -> StoredStudy:
        """Train the best again on fresh seeds; args and errors are those of ``sweep.confirm``."""
        stored = load_study(self._database.open_read_only(), self.spec.name)
        asked = ConfirmSettings(
            top=top,
            seeds=seeds,
            certify=certify,
            method="race" if race else "fixed",
            delta=difference_that_matters(self._task, stored, delta),
            alpha=alpha,
        )
        how = How(
            workers=workers,
            device=device,
            pool=pool,
            observe=observe,
            should_stop=should_stop,
            code_changed=code_changed,
        )
        return confirm_stored(self._task, stored, asked, self._database, how)

    @in_python
    def replay(self, trial: int | None = None, *, device: str = "auto") -> Comparison:
        """Train a stored trial again and compare; None is the best. Stores nothing.

        Raises:
            NotFoundError: If there is no such trial, or it has no final value.
            DataError: If the data are not those that it was trained on.
        """
        stored = load_study(self._database.open_read_only(), self.spec.name)
        record = choose_trial(stored, trial)
        assert record.dev_loss is not None, "choose_trial returns complete trials"
        place = choose_place(self._task, Place(engine=record.engine, device=record.device), device)
        check_engine(self._task, place.engine, place.device)
        config = config_of(self._task, stored, record)
        return train_again(self._task, config, StudyData(stored).data, record.dev_loss, place)

    @property
    def stored(self) -> StoredStudy:
        """What is stored of the study now; raises ``NotFoundError`` if it was never run."""
        return read_study(self.spec.name, self._database)

    @property
    def best(self) -> dict[str, Value]:
        """``StoredStudy.best`` of what is stored now."""
        return self.stored.best

    def table(self) -> "pandas.DataFrame":
        """Return ``StoredStudy.table`` of what is stored now."""
        return self.stored.table()

    def __repr__(self) -> str:
        trained = self.spec.program.get(GIVEN, self.spec.trainer)
        return f"<Study {self.spec.name!r} of {trained}: .run() trains it>"


def _plain(value: object) -> Any:
    """Return a value as a study file would hold it: lists for tuples and arrays, Python's numbers."""
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(entry) for entry in value]
    return value.tolist() if hasattr(value, "tolist") and hasattr(value, "dtype") else value
