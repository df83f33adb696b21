"""Find a function by a target such as ``trainers:train``, in processes that may import the user's code.

A target is ``module:name``, ``package.module:name`` or ``path/file.py:name``. Modules are searched for beside
the study file, then in the working folder, then on ``sys.path``.
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, NamedTuple

from sweep.spelling import did_you_mean
from sweep.trainers.function.faults import RefusedError
from sweep.trainers.function.given.parcel import search_path, unpack
from sweep.trainers.function.segments import check_task, is_task


class Target(NamedTuple):
    """A target, and the folders or bytes that it is resolved from."""

    text: str
    folder: Path
    """The study file's folder."""
    cwd: Path
    """The working folder."""
    parcel: bytes = b""
    """The packed function, if it was passed as an object; ``text`` is then only its name."""

    @property
    def home(self) -> str:
        """The module or file."""
        return self.text.rpartition(":")[0]

    @property
    def name(self) -> str:
        """The function's name in the module; dots separate attributes."""
        return self.text.rpartition(":")[2]

    @property
    def is_file(self) -> bool:
        """Whether the target names a file rather than a module."""
        return self.home.endswith(".py")

    @property
    def file(self) -> Path:
        """The file that the target names."""
        return self.folder / self.home

    @property
    def roots(self) -> list[Path]:
        """The folders that are searched before ``sys.path``, each once."""
        first = [self.file.parent] if self.is_file else []
        return list(dict.fromkeys([*first, self.folder, self.cwd]))

    @property
    def homes(self) -> list[Path]:
        """The folders that may contain the user's modules."""
        given = map(Path, search_path(self.parcel)) if self.parcel else ()
        return list(dict.fromkeys([*self.roots, *given]))


def load(target: Target) -> Callable[..., Any]:
    """Import the target's module, with its folders on ``sys.path``, and return the function.

    Raises:
        RefusedError: If the text is not a target, or does not name a callable.
        BaseException: Any error that the module raises.
    """
    if target.parcel:
        return unpack(target.parcel)
    if not all((target.home, target.name)):
        raise RefusedError("it must be 'module:name', 'package.module:name' or 'path/file.py:name'")
    sys.path[:0] = map(str, target.roots)
    module = _import_file(target) if target.is_file else _import_module(target)
    sys.argv[:] = [module.__file__ or target.home]
    return _find(target, module)


def takes_report(
    target: Target, function: Callable[..., Any], hyperparameters: Collection[str] = ()
) -> Literal["second", "named", ""]:
    """Return how a function takes ``report``: as the second argument, by name, or not at all.

    The second argument is the report if it is named ``report`` or has no default.

    Args:
        target: The function's name, for messages.
        function: The function, or a task, which takes its reports from ``sweep.report``.
        hyperparameters: Names of the study's hyperparameters, which are attributes of ``config``.

    Raises:
        RefusedError: If the function takes other arguments, or one of the two that it gets is named like a
            hyperparameter, or it is async or a generator.
    """
    if is_task(function):
        check_task(function, target.name)
        return ""
    _refuse_async(target, function)
    try:
        signature = inspect.signature(function)
    except ValueError:
        raise RefusedError(f"{target.name} has no readable signature; wrap it in a function") from None
    parameters = list(signature.parameters.values())
    how = _place_of_report(parameters)
    given = [p.name for p in parameters[: 2 if how == "second" else 1]]
    if wrong := [name for name in given if name in {*hyperparameters, "seed"} - {"config", "report"}]:
        raise RefusedError(
            f"{target.name} takes {signature}; the function gets (config) or (config, report): "
            f"read config.{wrong[0]} instead"
        )
    named = {"report": None} if how == "named" else {}
    try:
        signature.bind(*[None] * (2 if how == "second" else 1), **named)
    except TypeError:
        raise RefusedError(
            f"{target.name} takes {signature}; it must take (config) or (config, report)"
        ) from None
    return how


def _refuse_async(target: Target, function: Callable[..., Any]) -> None:
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    if is_async or inspect.isgeneratorfunction(function):
        raise RefusedError(f"{target.name} must be an ordinary function, neither async nor a generator")


def _place_of_report(parameters: list[inspect.Parameter]) -> Literal["second", "named", ""]:
    places = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(places) > 1 and (places[1].name == "report" or places[1].default is inspect.Parameter.empty):
        return "second"
    keywords = {p.name for p in parameters if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)}
    return "named" if "report" in keywords else ""


def _import_file(target: Target) -> ModuleType:
    path = target.file
    if not path.is_file():
        raise RefusedError(f"there is no file {path}{_near_file(path)}")
    name = path.stem
    if name in sys.modules or name in sys.stdlib_module_names:
        name = f"trainer_{name}"  # another module has the file's name
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None, "a name that ends in .py has a loader"
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _import_module(target: Target) -> ModuleType:
    _refuse_hidden(target)
    try:
        return importlib.import_module(target.home)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{target.home}.".startswith(f"{error.name}."):
            raise  # the module exists, but imports one that does not
        raise RefusedError(_not_found(target, error.name)) from None


def _refuse_hidden(target: Target) -> None:
    """Refuse a module beside the study whose name is already taken by another module."""
    top = target.home.partition(".")[0]
    taken = getattr(sys.modules.get(top), "__file__", None) or (top in sys.stdlib_module_names)
    for root in target.roots:
        local = next((p for p in (root / f"{top}.py", root / top / "__init__.py") if p.is_file()), None)
        if local and taken and taken != str(local):
            raise RefusedError(
                f"{top!r} is also a module that Python or sweep has loaded; "
                f"write trainer = '{top}.py:{target.name}', or rename the file"
            )


def _not_found(target: Target, missing: str) -> str:
    names = {p.stem for root in target.roots for p in _listed(root) if p.suffix == ".py" or p.is_dir()}
    hint = did_you_mean(missing, sorted(names), "; {}")
    searched = ", ".join(map(str, target.roots))
    return f"there is no module {missing!r} in {searched} or among the installed modules{hint}"


def _near_file(path: Path) -> str:
    return did_you_mean(path.name, sorted(p.name for p in _listed(path.parent) if p.suffix == ".py"), "; {}")


def _listed(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _find(target: Target, module: ModuleType) -> Callable[..., Any]:
    found: Any = module
    for part in target.name.split("."):
        if not hasattr(found, part):
            functions = [name for name, value in vars(found).items() if callable(value)]
            hint = did_you_mean(part, functions, "; {}")
            raise RefusedError(f"{module.__file__ or target.home} has no {part!r}{hint}")
        found = getattr(found, part)
    if not callable(found) and not is_task(found):
        raise RefusedError(f"{target.name!r} is of type {type(found).__name__}, not a function")
    function: Callable[..., Any] = found
    return function
