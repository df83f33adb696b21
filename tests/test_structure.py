"""The limits of the source tree: sizes, import cycles, and who may name private parts of other libraries.

Some limits have a list of exceptions with their reason. An entry that is no longer needed fails too, so that
a list can only shrink. ``test_architecture`` checks that the rooms import one way.
"""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "sweep"

MOST_MODULES = 16
"""In a folder, ``__init__`` not counted."""

MOST_LINES = 300
"""Of a module."""

MOST_FUNCTION_LINES = 40
"""Of a function, its docstring and comments included, without its decorators."""

LONG_MODULES = {
    "sweep/trainers/mlp/engines/block_program.py": 425,  # a kernel: one program for GPU, CPU and simulator
    "sweep/trainers/mlp/engines/vectors.py": 327,  # a kernel: the same arithmetic for several vector widths
}
"""Module -> lines that it has today."""

LONG_KERNELS = {
    "sweep/trainers/mlp/engines/block_layout.py:arrange": 61,  # places of a block's arrays, in order
}
"""Kernels that lose bits, speed or order if they are split."""

LONG_FUNCTIONS = {
    "sweep/api/ablation.py:ablate": 71,  # a user's editor shows every option with its meaning
    "sweep/api/training.py:confirm": 69,  # a user's editor shows every option with its meaning
    "sweep/api/training.py:run": 78,  # a user's editor shows every option with its meaning
}
"""Module:function -> lines that it has today; at most three beside the kernels."""

FENCED = {
    "sweep/definition/optuna_objects.py",  # a trial's number, and asking for one hyperparameter
    "sweep/execution/pools/ray_connection.py",  # Ray has no option that keeps its reports off stdout
    "sweep/storage/database/optuna_schema.py",  # Optuna's tables
    "sweep/trainers/mlp/compiled/code_cache.py",  # the cache of a Numba function
    "sweep/trainers/mlp/engines/gpu.py",  # the compiled code of a kernel
}
"""Modules that name private parts of other libraries."""

EXTENDED = {
    "AblationSpec": ["StudySpec"],  # a study whose trainings follow from a plan
    "ConfirmSpec": ["StudySpec"],  # the same
    "GivenFunction": ["ProgramTask"],  # its function comes as bytes and cannot leave this machine
    "JournalDatabase": ["Database"],  # an interface that makes the kind of its URL, so it is no Protocol
    "JsonView": ["_HoldsNothing"],  # a view without a terminal has nothing to give back
    "LineView": ["_HoldsNothing"],
    "PostgresDatabase": ["Database"],
    "ProgramTask": ["LeavesCheckpoints", "PlacedProgram", "TestedProgram"],  # the capabilities, a module each
    "SQLiteDatabase": ["Database"],
}
"""Class -> classes of ours that it extends although they are not interfaces."""

PUBLIC = {"_asdict", "_replace", "_exit"}
"""Names of the standard library that its documentation lists in spite of their underscore."""


@cache
def trees() -> dict[str, ast.Module]:
    """Path in the repository -> syntax tree of every module."""
    paths = sorted(PACKAGE.rglob("*.py"))
    return {path.relative_to(REPOSITORY).as_posix(): ast.parse(path.read_text("utf-8")) for path in paths}


def assert_within(found: dict[str, int], allowed: dict[str, int]) -> None:
    """Compare what is above a limit with its list of exceptions."""
    grown = {name: size for name, size in found.items() if size > allowed.get(name, 0)}
    assert not grown, "above the limit"
    assert not allowed.keys() - found.keys(), "no longer above the limit: remove the entry"


def test_no_folder_has_too_many_modules() -> None:
    """A newcomer takes in a folder at a glance."""
    counts = Counter(str(Path(path).parent) for path in trees() if not path.endswith("__init__.py"))
    assert {name: n for name, n in counts.items() if n > MOST_MODULES} == {}


def test_no_module_is_too_long() -> None:
    """Each module has one idea."""
    lengths = {path: len((REPOSITORY / path).read_text("utf-8").splitlines()) for path in trees()}
    assert_within({path: n for path, n in lengths.items() if n > MOST_LINES}, LONG_MODULES)


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, int]]:
    """Yield the qualified name and the lines of every function, inner ones included."""
    for node in ast.iter_child_nodes(tree):
        name = f"{prefix}{getattr(node, 'name', '')}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield name, (node.end_lineno or node.lineno) - node.lineno + 1
        is_named = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
        yield from functions(node, f"{name}." if is_named else prefix)


def test_no_function_is_too_long() -> None:
    """Most have about seven lines."""
    lengths = {f"{path}:{name}": n for path, tree in trees().items() for name, n in functions(tree)}
    assert_within(
        {name: n for name, n in lengths.items() if n > MOST_FUNCTION_LINES}, LONG_KERNELS | LONG_FUNCTIONS
    )


def module_name(path: str) -> str:
    """Return a module's dotted name."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the dotted names that a module imports anywhere, in functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def import_graph() -> dict[str, set[str]]:
    """Module -> modules of the package that it imports; a name within a module counts as its module."""
    modules = {module_name(path): tree for path, tree in trees().items()}
    graph = {}
    for name, tree in modules.items():
        targets = {t if t in modules else t.rpartition(".")[0] for t in imported(tree)}
        graph[name] = (targets & modules.keys()) - {name}
    return graph


def test_no_modules_import_each_other() -> None:
    """There is an order in which every module comes after all that it imports, late imports counted."""
    graph = import_graph()
    while leaves := {name for name, targets in graph.items() if not targets & graph.keys()}:
        graph = {name: targets for name, targets in graph.items() if name not in leaves}
    assert not graph, "these import each other, or import modules that do"


def bases(node: ast.ClassDef) -> set[str]:
    """Return the names of the classes that a class extends, without type arguments and other modules'."""
    named = (base.value if isinstance(base, ast.Subscript) else base for base in node.bases)
    return {base.id for base in named if isinstance(base, ast.Name)}


def test_a_class_is_an_interface_or_a_leaf() -> None:
    """Only interfaces and exceptions are extended; what others need of a class, they hold."""
    nodes = (node for tree in trees().values() for node in ast.walk(tree))
    ours = {node.name: bases(node) for node in nodes if isinstance(node, ast.ClassDef)}
    closed = {name for name, of in ours.items() if "Protocol" not in of and not name.endswith("Error")}
    assert {name: sorted(of & closed) for name, of in ours.items() if of & closed} == EXTENDED


def private_names(tree: ast.Module) -> Iterator[str]:
    """Yield what names a private part of something else: ``trial._suggest``, ``optuna.storages._rdb``."""
    is_private = re.compile(r"_(?!_)\w*")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private.fullmatch(node.attr) and node.attr not in PUBLIC:
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls", "other")
            own = own or ast.unparse(node.value) in ("super()", "type(self)")
            yield from () if own else (ast.unparse(node),)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from re.findall(r"^\w+(?:\.\w+)*\._(?!_)\w+(?:\.\w+)*$", node.value)
    for name in imported(tree):
        if not name.startswith("sweep.") and any(map(is_private.fullmatch, name.split("."))):
            yield name


def test_only_fenced_modules_name_private_parts_of_other_libraries() -> None:
    """A new version of a library breaks these modules alone, which say so in one line."""
    found = {path: set(private_names(tree)) for path, tree in trees().items()}
    assert {path: names for path, names in found.items() if names and path not in FENCED} == {}
    assert {path for path, names in found.items() if names} == FENCED


OF_THE_MLP = re.compile(
    r"\bnats\b|\bcharacters?\b|\bwords?\b|n_params|examples_seen|block_size|embed|hidden_neurons|learning_rate"
    r"|dev.loss|minibatch"
)
"""Units, sentences and hyperparameters of one trainer."""

NAMES_THE_MLP = {
    "sweep/certify/provenance.py": 5,  # keys of the files that the first release wrote
    "sweep/cli/commands/common.py": 1,  # --words
    "sweep/cli/live_frame.py": 2,  # a shorter heading
    "sweep/cli/options.py": 3,  # --words, which the first releases had, and an example in the help
    "sweep/definition/variants.py": 1,  # a word in the sense of a text without blanks
    "sweep/storage/looks/look_writer.py": 3,  # columns of stored looks
    "sweep/storage/looks/stored_looks.py": 5,  # columns of stored looks
    "sweep/trainers/command/from_script/ranges.py": 1,  # names that hyperparameters often have
    "sweep/trainers/command/styles.py": 1,  # the name of a style: each value a word of its own
    "sweep/trainers/program/process/supervised.py": 1,  # a NUL character
}
"""Module outside ``trainers/mlp`` -> strings that name what only the MLP has."""


def strings(tree: ast.Module) -> Iterator[str]:
    """Yield the texts in a module, without docstrings and the like."""
    alone = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in alone:
            yield node.value


def test_only_the_mlp_names_what_only_the_mlp_has() -> None:
    """Whatever a reader sees of another trainer's study is in that trainer's words."""
    found = {
        path: sum(bool(OF_THE_MLP.search(text)) for text in strings(tree))
        for path, tree in trees().items()
        if not path.startswith("sweep/trainers/mlp")
    }
    assert_within({path: count for path, count in found.items() if count}, NAMES_THE_MLP)
