"""Measure from Python what each change between two configurations brings, as ``sweep ablate`` does."""

from collections.abc import Callable, Sequence

from sweep.api.asked import open_database, with_data_file
from sweep.api.stored import StoredStudy, read_study
from sweep.api.training import publish_stored
from sweep.api.wording import in_python
from sweep.certify.ablation.ablate import run_ablation
from sweep.certify.ablation.pair import read_pair
from sweep.definition.sections.top_level import check_name
from sweep.execution.events import Observer
from sweep.execution.how import How, ignore, never


@in_python
def ablate(
    start: str,
    end: str,
    *,
    seeds: int = 5,
    together: Sequence[Sequence[str]] = (),
    name: str | None = None,
    data_file: str | None = None,
    workers: int | None = None,
    device: str = "auto",
    engine: str | None = None,
    pool: str = "local",
    storage: str | None = None,
    files: str | None = None,
    observe: Observer = ignore,
    should_stop: Callable[[], bool] = never,
    code_changed: str | None = None,
) -> StoredStudy:
    """Train the configurations between two exported ones on paired seeds; called again, it continues.

    Args:
        start: File of the first configuration, as ``sweep export`` writes it.
        end: File of the second one, of the same trainer and data.
        seeds: Seeds for each step.
        together: Groups of hyperparameters that change in one step.
        name: Name of the study that stores the trainings; None makes one of what is compared.
        data_file: Another data file than the one that the exports name.
        workers: As for ``run``, as are the others below.
        device: On which it trains.
        engine: What trains.
        pool: Where.
        storage: URL of the database.
        files: Folder or bucket of weights and curves.
        observe: Called with each event.
        should_stop: True stops and stores the running trainings.
        code_changed: As for ``run``.

    Returns:
        The study of the trainings, whose ``ablation`` has the steps.

    Raises:
        ConfigError: If the configurations cannot be compared; it says why.
        SweepError: As ``run``.

    Examples:
        >>> study = sweep.ablate("before.toml", "best.toml")  # doctest: +SKIP
        >>> [(step.names, step.difference.mean) for step in study.ablation.steps[1:]]  # doctest: +SKIP
        [(('weight_decay',), -0.0121), (('hidden_neurons',), -0.0348)]
    """
    pair, database = read_pair(start, end, seeds=seeds, together=together), open_database(storage, files)
    stored_as = pair.name if name is None else check_name("name", name)
    section = pair.origins[1].data
    finished = run_ablation(
        pair,
        database,
        name=stored_as,
        section=section if data_file is None else with_data_file(pair.task, section, data_file),
        how=How(
            workers=workers,
            device=device,
            engine=engine,
            pool=pool,
            observe=observe,
            should_stop=should_stop,
            code_changed=code_changed,
        ),
    )
    study = read_study(stored_as, database)
    if finished:
        publish_stored(study, database)
    return study
