"""Two live studies of scikit-learn with conditions and seed noise; a fit takes well below 0.1 s.

A seed splits the data into train and dev and seeds the model. Losses are kept on disk by configuration and
seed, below ``cache/``. The scale, true losses of ``N_DRAWS`` random draws, is kept in ``scales/``. A file
that is missing is computed again, which takes some minutes.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from sweep.definition.dimension import Choices, Range
from sweep.definition.space import Space
from tests.benchmarks.samplers.loss_cache import LossCache
from tests.benchmarks.samplers.task import Params, Task, draws, mean

HERE = Path(__file__).parent
N_SEEDS = 5
N_DRAWS = 1_000
"""Fewer than for functions, as each draw is trained ``N_SEEDS`` times."""

Fit = Callable[[Params, int], float]
"""(configuration, seed) -> loss on dev."""

DIGITS = Space(
    {
        "model": Choices(("svm", "knn", "forest")),
        "scale": Choices((True, False)),
        "C": Range(1e-3, 1e3, log=True),
        "kernel": Choices(("rbf", "poly", "linear")),
        "gamma": Range(1e-5, 1.0, log=True),
        "degree": Range(2, 5),
        "n_neighbors": Range(1, 40, log=True),
        "weights": Choices(("uniform", "distance")),
        "max_depth": Range(2, 16),
        "max_features": Range(0.05, 1.0),
        "n_trees": Choices((5, 10, 20, 40)),
    },
    {
        "C": {"model": ("svm",)},
        "kernel": {"model": ("svm",)},
        "gamma": {"kernel": ("rbf", "poly")},
        "degree": {"kernel": ("poly",)},
        "n_neighbors": {"model": ("knn",)},
        "weights": {"model": ("knn",)},
        "max_depth": {"model": ("forest",)},
        "max_features": {"model": ("forest",)},
        "n_trees": {"model": ("forest",)},
    },
)

DIABETES = Space(
    {
        "model": Choices(("ridge", "svr", "boosting")),
        "alpha": Range(1e-3, 1e3, log=True),
        "degree": Choices((1, 2)),
        "C": Range(1e-2, 1e3, log=True),
        "epsilon": Range(0.1, 50.0, log=True),
        "gamma": Range(1e-4, 1.0, log=True),
        "learning_rate": Range(0.005, 0.5, log=True),
        "n_trees": Range(10, 80, log=True),
        "max_depth": Range(1, 5),
        "subsample": Range(0.3, 1.0),
    },
    {
        "alpha": {"model": ("ridge",)},
        "degree": {"model": ("ridge",)},
        "C": {"model": ("svr",)},
        "epsilon": {"model": ("svr",)},
        "gamma": {"model": ("svr",)},
        "learning_rate": {"model": ("boosting",)},
        "n_trees": {"model": ("boosting",)},
        "max_depth": {"model": ("boosting",)},
        "subsample": {"model": ("boosting",)},
    },
)


def digits() -> Task:
    """Load the classification of 400 digits by one of three models: the error on dev."""
    return _task("digits", DIGITS, _digits_error())


def diabetes() -> Task:
    """Load the regression of the progress of diabetes by one of three models: the root mean square on dev."""
    return _task("diabetes", DIABETES, _diabetes_error())


def _task(name: str, space: Space, fit: Fit) -> Task:
    loss = LossCache(HERE / "cache" / f"{name}.csv", fit)
    return Task(space=space, loss=loss, n_seeds=lambda params: N_SEEDS, scale=_scale(name, space, loss))


def _scale(name: str, space: Space, loss: Fit) -> np.ndarray:
    path = HERE / "scales" / f"{name}.csv"
    if not path.exists():
        losses = sorted(mean(loss(p, seed) for seed in range(N_SEEDS)) for p in draws(space, N_DRAWS))
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(f"{value!r}\n" for value in losses))
    return np.array([float(line) for line in path.read_text().splitlines()])


def _digits_error() -> Fit:
    from sklearn.datasets import load_digits

    inputs, classes = (array[:400] for array in load_digits(return_X_y=True))

    def error(params: Params, seed: int) -> float:
        train, dev = _split(len(inputs), seed)
        model = _classifier(params, seed).fit(inputs[train], classes[train])
        return 1 - float(model.score(inputs[dev], classes[dev]))

    return error


def _classifier(params: Params, seed: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    rest = {name: value for name, value in params.items() if name not in {"model", "scale", "n_trees"}}
    if params["model"] == "svm":
        model = SVC(**rest, max_iter=2_000)
    elif params["model"] == "knn":
        model = KNeighborsClassifier(**rest)
    else:
        model = RandomForestClassifier(params["n_trees"], **rest, random_state=seed)
    return make_pipeline(StandardScaler(), model) if params["scale"] else model


def _diabetes_error() -> Fit:
    from sklearn.datasets import load_diabetes

    inputs, targets = load_diabetes(return_X_y=True)

    def error(params: Params, seed: int) -> float:
        train, dev = _split(len(inputs), seed)
        predicted = _regressor(params, seed).fit(inputs[train], targets[train]).predict(inputs[dev])
        return float(np.sqrt(np.mean((predicted - targets[dev]) ** 2)))

    return error


def _regressor(params: Params, seed: int) -> Any:
    from sklearn.ensemble import GradientBoostingRegressor
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import PolynomialFeatures, StandardScaler
    from sklearn.svm import SVR

    rest = {name: value for name, value in params.items() if name not in {"model", "degree", "n_trees"}}
    if params["model"] == "ridge":
        return make_pipeline(PolynomialFeatures(params["degree"]), StandardScaler(), Ridge(**rest))
    if params["model"] == "svr":
        return make_pipeline(StandardScaler(), SVR(**rest, max_iter=20_000))
    return GradientBoostingRegressor(n_estimators=params["n_trees"], **rest, random_state=seed)


def _split(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the places of train, two thirds, and of dev."""
    order = np.random.default_rng(seed).permutation(n)
    return order[: 2 * n // 3], order[2 * n // 3 :]
