"""Study files: what is accepted, and every rule with its refusal."""

import copy
import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sweep.cli import main
from sweep.definition.dimension import Choices, Range
from sweep.definition.identity import fingerprint
from sweep.definition.registries import PRUNERS, SAMPLERS
from sweep.definition.sections.top_level import check_name, parse_duration
from sweep.definition.spec import StudySpec
from sweep.definition.study_file import load_study_file, parse_study
from sweep.errors import ConfigError, DataError, OptionError, StudyFileError, SweepError
from sweep.task import costs_of
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.trainer import MLP
from tests.support.study_values import anything, likely, studies

DESIGN = """
goal = "Which MLP predicts the next letter of a name best?"
name = "names"
sampler = "tpe"
pruner = "none"
trials = 60
replicates = 1
keep = 20
timeout = "10m"
trial_timeout = "5m"
seed = 0

[data]
words = "data/names.txt"

[fixed]
learning_rate = 0.1
init = "scaled"

[search]
block_size = { low = 2, high = 8 }
embedding_dim = { low = 2, high = 32 }
hidden_neurons = { low = 10, high = 500, log = true }
batch_size = { choices = [16, 32, 64, 128] }
num_steps = { choices = [20_000, 50_000, 100_000, 200_000] }

[[trial]]
block_size = 3
embedding_dim = 10
hidden_neurons = 200
batch_size = 32
num_steps = 200_000
"""

SEARCH = {"block_size": {"low": 2, "high": 8}, "batch_size": {"choices": [16, 32]}}
GRID = {"block_size": {"low": 2, "high": 8, "step": 2}, "batch_size": {"choices": [16, 32]}}
POINT = {"block_size": 3, "batch_size": 16}


def parse(**raw: Any) -> StudySpec:
    return parse_study({"search": SEARCH} | raw, MLP)


class TestAccepted:
    def test_file_of_the_design_is_read(self, tmp_path: Path) -> None:
        """Every key of the documented example arrives where it belongs."""
        path = tmp_path / "any.toml"
        path.write_text(DESIGN, encoding="utf-8")
        spec = load_study_file(path, MLP)
        assert (spec.name, spec.sampler, spec.pruner) == ("names", "tpe", "none")
        assert (spec.trials, spec.replicates, spec.keep, spec.seed) == (60, 1, 20, 0)
        assert (spec.timeout, spec.trial_timeout) == (600.0, 300.0)
        assert spec.goal.startswith("Which MLP")
        assert spec.data == {"words": "data/names.txt", "dedupe": False}
        assert spec.space == {
            "block_size": Range(2, 8),
            "embedding_dim": Range(2, 32),
            "hidden_neurons": Range(10, 500, log=True),
            "batch_size": Choices((16, 32, 64, 128)),
            "num_steps": Choices((20_000, 50_000, 100_000, 200_000)),
        }
        assert spec.listed == (
            {
                "block_size": 3,
                "embedding_dim": 10,
                "hidden_neurons": 200,
                "batch_size": 32,
                "num_steps": 200_000,
            },
        )
        assert spec.logged == (None,)

    def test_fixed_and_searched_fields_make_a_configuration(self) -> None:
        """Fields that are not searched are completed by their defaults, the seed left out."""
        spec = parse(fixed={"learning_rate": 1})
        assert set(spec.fixed) | set(spec.space) == set(TrainConfig().to_dict()) - {"seed"}
        assert not set(spec.fixed) & set(spec.space)
        assert (spec.fixed["learning_rate"], type(spec.fixed["learning_rate"])) == (1.0, float)
        assert spec.fixed["hidden_neurons"] == TrainConfig().hidden_neurons

    def test_shortest_file_has_the_documented_defaults(self, tmp_path: Path) -> None:
        """A search section is enough; the file's own name is the study's."""
        path = tmp_path / "short-1.toml"
        path.write_text("[search]\nblock_size = { low = 2, high = 3 }\n")
        spec = load_study_file(path, MLP)
        assert (spec.name, spec.sampler, spec.pruner, spec.goal) == ("short-1", "gp_cost", "none", "")
        assert (spec.total_trials, spec.replicates, spec.keep, spec.seed) == (60, 1, 20, 0)
        assert (spec.timeout, spec.trial_timeout, spec.listed) == (None, None, ())

    def test_name_in_the_file_stands_whatever_the_file_is_called(self, tmp_path: Path) -> None:
        """``my study.toml`` is no study name, and need not be one."""
        path = tmp_path / "my study (2).toml"
        path.write_text('name = "fine"\n[search]\nblock_size = { low = 2, high = 3 }\n')
        assert load_study_file(path, MLP).name == "fine"

    def test_listed_trials_span_the_space_where_nothing_is_searched(self) -> None:
        """A list by itself is a study, with the losses of its log kept apart."""
        trials = [POINT | {"logged": 2.3414}, {"block_size": 8, "batch_size": 64}]
        spec = parse_study({"sampler": "listed", "trial": trials, "log": {"data_sha256": "ab" * 32}}, MLP)
        assert spec.space == {"block_size": Range(3, 8), "batch_size": Range(16, 64)}
        assert spec.listed == (POINT, {"block_size": 8, "batch_size": 64})
        assert spec.logged == (2.3414, None)
        assert spec.logged_data_sha256 == "ab" * 32
        assert spec.total_trials == 2

    def test_listed_trials_go_with_every_learning_sampler(self) -> None:
        """Known configurations run first whatever proposes the others."""
        for sampler in ("tpe", "gp", "random", "qmc", "listed"):
            assert parse(sampler=sampler, trial=[POINT]).listed == (POINT,)

    def test_listed_values_take_the_type_of_their_field(self) -> None:
        """``learning_rate = 1`` in a trial is 1.0."""
        spec = parse_study(
            {"search": {"learning_rate": {"low": 0.1, "high": 2}}, "trial": [{"learning_rate": 1}]}, MLP
        )
        assert spec.listed == ({"learning_rate": 1.0},)
        assert type(spec.listed[0]["learning_rate"]) is float
        assert spec.space == {"learning_rate": Range(0.1, 2.0)}

    @pytest.mark.parametrize("sampler", SAMPLERS)
    @pytest.mark.parametrize("pruner", PRUNERS)
    def test_every_sampler_goes_with_every_pruner_but_gp(self, sampler: str, pruner: str) -> None:
        """Only gp with a pruner is refused."""
        raw: dict[str, Any] = {"sampler": sampler, "pruner": pruner, "search": GRID}
        if sampler == "listed":
            raw["trial"] = [{"block_size": 2, "batch_size": 16}]
        if sampler == "gp" and pruner != "none":
            with pytest.raises(StudyFileError, match=rf"sampler gp .*got pruner '{pruner}'"):
                parse_study(raw, MLP)
        else:
            assert parse_study(raw, MLP).pruner == pruner

    @pytest.mark.parametrize("sampler", SAMPLERS)
    @pytest.mark.parametrize("cost", costs_of(MLP))
    def test_every_sampler_goes_with_two_objectives(self, sampler: str, cost: str) -> None:
        """Each sampler takes a second objective; a study that names no sampler has gp_cost."""
        raw: dict[str, Any] = {"sampler": sampler, "search": GRID, "objectives": ["dev_loss", cost]}
        if sampler == "listed":
            raw["trial"] = [{"block_size": 2, "batch_size": 16}]
        spec = parse_study(raw, MLP)
        assert (spec.objectives, spec.cost, spec.sampler) == (("dev_loss", cost), cost, sampler)
        del raw["sampler"]
        assert sampler == "listed" or parse_study(raw, MLP).sampler == "gp_cost"

    def test_parsing_leaves_its_argument_alone(self) -> None:
        """The plain values that went in are as they were."""
        raw = {"search": copy.deepcopy(SEARCH), "trial": [POINT | {"logged": 2.0}], "fixed": {"momentum": 0}}
        before = copy.deepcopy(raw)
        parse_study(raw, MLP)
        assert raw == before


REFUSED: list[tuple[dict[str, Any], str]] = [
    # unknown keys, at each level
    ({"sampel": 1}, r"unknown key 'sampel' at the top level; did you mean sampler\? known: name, goal"),
    ({"data": {"word": "x"}}, r"unknown key 'word' in \[data\]; did you mean words\? known: words, dedupe"),
    ({"fixed": {"lr": 1}}, r"unknown key 'lr' in \[fixed\]; did you mean learning_rate\? known: block_size"),
    ({"fixed": {"seed": 1}}, r"unknown key 'seed' in \[fixed\]"),
    ({"search": {"lr": {"low": 1, "high": 2}}}, r"unknown hyperparameter 'lr' in \[search\]"),
    ({"search": {"block_size": {"low": 1, "hi": 2}}}, r"unknown key 'hi' in search\.block_size"),
    ({"trial": [POINT | {"lr": 1}]}, r"\[\[trial\]\] number 1 sets lr, which is not searched; searched: blo"),
    ({"trial": [POINT, POINT | {"seed": 1}]}, r"\[\[trial\]\] number 2 sets seed, which is not searched"),
    ({"block_size": 3}, r"^block_size is a hyperparameter: write fixed\.block_size, or search\.block_size"),
    ({"fixed": {"batch": 1}}, r"unknown key 'batch' in \[fixed\]; did you mean batch_size\?"),
    ({"fixed": {"wd": 1}}, r"unknown key 'wd' in \[fixed\]; did you mean weight_decay\?"),
    ({"resources": {"gpu": 1}}, r"unknown key 'gpu' in \[resources\]; did you mean gpus\? known: cpus"),
    ({"trial": [{"block_szie": 3}]}, r"sets block_szie, which is not searched; did you mean block_size\?"),
    ({"log": {"sha": ""}}, r"unknown key 'sha' in \[log\]; known: data_sha256"),
    # wrong types
    ({"sampler": "cmaes"}, r"sampler must be one of tpe, gp, gp_cost, .*, listed; got 'cmaes'"),
    ({"sampler": 1}, r"sampler must be one of .*; got 1$"),
    ({"sampler": ["tpe"]}, r"sampler must be one of .*; got \['tpe'\]$"),
    ({"pruner": "hyperband"}, r"pruner must be one of none, median, asha; got 'hyperband'"),
    ({"pruner": False}, r"pruner must be one of .*; got False"),
    *(
        ({"objectives": value}, r'objectives must be \["dev_loss"\], or that and one of n_params, train_sec')
        for value in ("dev_loss", [], ["n_params"], ["n_params", "dev_loss"], ["dev_loss", "dev_loss"])
    ),
    ({"objectives": ["dev_loss", "loss"]}, r"got \['dev_loss', 'loss'\]"),
    ({"objectives": ["dev_loss", "n_params", "train_seconds"]}, r"objectives must be .*'train_seconds'\]$"),
    ({"objectives": [["dev_loss"], 1]}, r"objectives must be .*; got \[\['dev_loss'\], 1\]"),
    ({"goal": 1}, r"goal must be one line of text, got 1"),
    ({"goal": "a\nb"}, r"goal must be one line of text, got 'a\\nb'"),
    ({"goal": "\x1b[2J"}, r"goal must be one line of text"),
    ({"trials": 0}, r"trials must be a whole number from 1 to 1,000,000, got 0"),
    ({"trials": 1_000_001}, r"trials must be a whole number .*got 1000001"),
    ({"trials": "60"}, r"trials must be a whole number .*got '60'"),
    ({"trials": 60.0}, r"trials must be a whole number .*got 60\.0"),
    ({"trials": True}, r"trials must be a whole number .*got True"),
    ({"replicates": 0}, r"replicates must be a whole number from 1 to 1,000, got 0"),
    ({"keep": -1}, r"keep must be a whole number from 0 to 1,000,000, got -1"),
    ({"seed": -1}, r"seed must be a whole number from 0 to .*got -1"),
    ({"seed": 2**53}, r"seed must be a whole number from 0 to .*got 9007199254740992"),
    ({"seed": 2**70}, r"key 'seed' holds a whole number of 71 bits; TOML has 64"),
    ({"data": []}, r"\[data\] must be a table, got \[\]"),
    ({"data": {"words": 1}}, r"data\.words must be a text, got 1"),
    ({"data": {"dedupe": 1}}, r'data\.dedupe must be true, false or "normalized", got 1'),
    ({"fixed": "x"}, r"\[fixed\] must be a table, got 'x'"),
    ({"fixed": {"hidden_neurons": "200"}}, r"hidden_neurons must be a whole number, got '200'"),
    ({"fixed": {"hidden_neurons": 0}}, r"hidden_neurons must be from 1 to 65,536, got 0"),
    ({"fixed": {"learning_rate": -0.1}}, r"learning_rate must be above 0.*, got -0\.1"),
    ({"fixed": {"learning_rate": math.nan}}, r"learning_rate must be .*, got nan"),
    ({"fixed": {"init": "xavier"}}, r"init must be scaled or normal, got 'xavier'"),
    ({"search": 1}, r"\[search\] must be a table, got 1"),
    ({"search": {"block_size": 3}}, r"search\.block_size must be .*got 3"),
    ({"log": 1}, r"\[log\] must be a table, got 1"),
    ({"log": {"data_sha256": "xyz"}}, r"log\.data_sha256 must be 64 hex digits, got 'xyz'"),
    ({"log": {"data_sha256": 1}}, r"log\.data_sha256 must be 64 hex digits, got 1"),
    ({"trial": POINT}, r"trial must be a list of tables"),
    ({"trial": [3]}, r"trial must be a list of tables"),
    ({"trial": [POINT | {"logged": "2.1"}]}, r"trial\.logged must be a loss, at least 0; got '2\.1'"),
    ({"trial": [POINT | {"logged": -1}]}, r"trial\.logged must be a loss, at least 0; got -1"),
    ({"trial": [POINT | {"logged": True}]}, r"trial\.logged must be a loss, at least 0; got True"),
    ({"trial": [POINT | {"logged": math.nan}]}, r"trial\.logged must be a loss, at least 0; got nan"),
    ({"trial": [POINT | {"logged": math.inf}]}, r"trial\.logged must be a loss, at least 0; got inf"),
    # durations
    ({"timeout": 600}, r"timeout must be a time above 0 with s, m or h, .*got 600"),
    ({"timeout": "10"}, r"timeout must be a time .*got '10'"),
    ({"timeout": "10 m"}, r"timeout must be a time .*got '10 m'"),
    ({"timeout": "0m"}, r"timeout must be a time .*got '0m'"),
    ({"timeout": "0.0s"}, r"timeout must be a time .*got '0\.0s'"),
    ({"timeout": "-5m"}, r"timeout must be a time .*got '-5m'"),
    ({"timeout": "1d"}, r"timeout must be a time .*got '1d'"),
    ({"timeout": ""}, r"timeout must be a time .*got ''"),
    ({"timeout": "m"}, r"timeout must be a time .*got 'm'"),
    ({"timeout": "9" * 400 + "h"}, r"timeout must be a time"),
    ({"trial_timeout": "5min"}, r"trial_timeout must be a time .*got '5min'"),
    # names
    ({"name": "../x"}, r"name must be 1 to 64 letters.*; got '\.\./x'"),
    ({"name": ""}, r"name must be .*; got ''"),
    ({"name": "a/b"}, r"name must be .*; got 'a/b'"),
    ({"name": "a b"}, r"name must be .*; got 'a b'"),
    ({"name": ".hidden"}, r"name must be .*; got '\.hidden'"),
    ({"name": "-x"}, r"name must be .*; got '-x'"),
    ({"name": "x\n"}, r"name must be .*; got 'x\\n'"),
    ({"name": "é"}, r"name must be .*; got 'é'"),
    ({"name": "x" * 65}, r"name must be "),
    ({"name": 3}, r"name must be .*; got 3"),
    ({"search": SEARCH | {"learning_rate": "auto"}}, r'search\.learning_rate = "auto" is found, not'),
    ({"fixed": {"hidden_neurons": "auto"}}, r"hidden_neurons must be a whole number, got 'auto'"),
    ({"trial": [POINT | {"learning_rate": "auto"}]}, r"number 1 sets learning_rate, which is not searched"),
    # combinations
    ({"search": {}}, r"nothing to search: write ranges in \[search\], or \[\[trial\]\]"),
    ({"search": {}, "trial": [{}]}, r"nothing to search"),
    ({"search": {}, "trial": [{"seed": 1}]}, r"unknown key 'seed' in \[\[trial\]\]"),
    ({"search": {}, "trial": [POINT, {"block_size": 2}]}, r"every \[\[trial\]\] must set the same .*batch_"),
    ({"search": {}, "trial": [{"block_size": 0}]}, r"block_size must be from 1 to 256, got 0"),
    ({"search": {}, "trial": [POINT], "fixed": {"block_size": 3}}, r"block_size is in \[fixed\] and"),
    ({"fixed": {"block_size": 3}}, r"block_size is in \[fixed\] and is searched as well; keep one"),
    ({"trial": [{"block_size": 3}]}, r"\[\[trial\]\] number 1 lacks batch_size, which is searched"),
    ({"trial": [POINT, POINT | {"block_size": 9}]}, r"number 2: block_size = 9 lies outside the search"),
    ({"trial": [POINT | {"batch_size": 24}]}, r"number 1: batch_size = 24 lies outside the search space"),
    ({"trial": [POINT | {"block_size": "3"}]}, r"number 1: block_size must be a whole number, got '3'"),
    ({"trial": [POINT | {"block_size": True}]}, r"number 1: block_size must be a whole number, got True"),
    ({"search": GRID, "trial": [POINT]}, r"number 1: block_size = 3 lies outside the search space"),
    ({"sampler": "gp", "pruner": "asha"}, r"sampler gp .*needs pruner none; got pruner 'asha'"),
    *(
        ({"objectives": ["dev_loss", cost], "pruner": pruner}, rf"pruner {pruner} .* little {cost}; with two")
        for cost, pruner in (("n_params", "asha"), ("train_seconds", "median"))
    ),
    ({"sampler": "grid"}, r"search\.block_size is a range without step; sampler grid needs a step"),
    (
        {"sampler": "grid", "search": {"block_size": {"low": 2, "high": 8, "log": True}}},
        r"search\.block_size is a range without step",
    ),
    (
        {"sampler": "grid", "search": GRID, "trial": [{"block_size": 2, "batch_size": 16}]},
        r"sampler grid runs every cell; remove the \[\[trial\]\]",
    ),
    ({"sampler": "grid", "search": {}, "trial": [POINT]}, r"sampler grid runs every cell"),
    ({"sampler": "grid", "search": GRID, "trials": 9}, r"sampler grid ends after 8 trials, but trials = 9"),
    (
        {"sampler": "grid", "search": GRID, "trials": 25, "replicates": 3},
        r"sampler grid ends after 24 trials, but trials = 25",
    ),
    ({"sampler": "listed"}, r"sampler listed needs \[\[trial\]\] configurations"),
    ({"sampler": "listed", "trial": [POINT], "trials": 2}, r"sampler listed ends after 1 trials, .* = 2"),
]  # fmt: skip


def test_a_learning_rate_may_be_left_to_be_found() -> None:
    """It stands among the fixed values as auto, is part of the identity, and is no value yet."""
    spec = parse(fixed={"learning_rate": "auto", "init": "normal"})
    assert (spec.fixed["learning_rate"], spec.auto) == ("auto", ("learning_rate",))
    assert "learning_rate" not in spec.config_values(POINT)
    assert spec.identity(MLP, "")["fixed"]["learning_rate"] == "auto"


class TestRefused:
    @pytest.mark.parametrize(("raw", "message"), REFUSED, ids=lambda value: str(value)[:60])
    def test_study_that_breaks_a_rule_is_refused(self, raw: dict[str, Any], message: str) -> None:
        """The refusal is one line with the key, the value and the rule."""
        with pytest.raises((StudyFileError, ConfigError, DataError), match=message) as caught:
            parse(**raw)
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("trials = 0\n", "trials must be"),
            ("[fixed]\nblock_size = 0\n[search]\nbatch_size = { choices = [1] }\n", "block_size must be"),
            ("[search]\nblock_size = { low = 1, high = 2 }\n[data]\nword = 1\n", "unknown key 'word'"),
            ("name = \n", "not a TOML file: Invalid value"),
            (
                "trials = 1\ntrials = 2\n",
                "not a TOML file: the key has a value already (at line 2, column 11): 'trials = 2'",
            ),
            (f"trials = {'9' * 5_000}\n", "not a TOML file"),
            (
                f"search.{'.'.join('a' * 1_200)} = 1\n",
                f"key 'search{'.a' * 32}' is nested more than 32 levels",
            ),
            (f"goal = {'[' * 60}{']' * 60}\n", "key 'goal' is nested more than 32 levels"),
            (f"trials = 0x{'f' * 5_000}\n", "key 'trials' holds a whole number of 20000 bits"),
            (f"trials = {'[' * 50_000}\n", "not a TOML file"),
            ("", "nothing to search"),
        ],
    )
    def test_every_refusal_names_the_file(self, tmp_path: Path, text: str, message: str) -> None:
        """Whatever kind of fault it is, it is a StudyFileError that starts with the file."""
        path = tmp_path / "bad.toml"
        path.write_text(text)
        with pytest.raises(StudyFileError) as caught:
            load_study_file(path, MLP)
        assert str(caught.value).startswith(f"{path}: {message}")

    def test_bytes_that_are_no_text_are_refused(self, tmp_path: Path) -> None:
        """A database given as a study file is no TOML."""
        path = tmp_path / "sweep.db"
        path.write_bytes(b"SQLite format 3\0\xff\xfe")
        with pytest.raises(StudyFileError, match=r"sweep\.db: not a TOML file"):
            load_study_file(path, MLP)

    def test_missing_file_says_how_to_get_one(self, tmp_path: Path) -> None:
        """A file that is not there is named, with the command that writes examples."""
        with pytest.raises(StudyFileError, match=r"gone\.toml does not exist; `sweep init DIR`"):
            load_study_file(tmp_path / "gone.toml", MLP)

    @pytest.mark.parametrize(("given", "meant"), [("quik.toml", "quick.toml"), ("QUICK.toml", "quick.toml")])
    def test_mistyped_file_is_answered_with_the_one_beside_it(
        self, given: str, meant: str, tmp_path: Path
    ) -> None:
        """Only study files of the same folder are proposed."""
        (tmp_path / "quick.toml").touch()
        (tmp_path / "quik.txt").touch()
        with pytest.raises(StudyFileError) as caught:
            load_study_file(tmp_path / given, MLP)
        assert str(caught.value) == f"study file {tmp_path / given} does not exist; did you mean {meant}?"

    def test_file_in_a_folder_that_is_not_there_proposes_none(self, tmp_path: Path) -> None:
        """The command that writes examples is named instead."""
        with pytest.raises(StudyFileError, match=r"gone/quick\.toml does not exist; `sweep init DIR`"):
            load_study_file(tmp_path / "gone" / "quick.toml", MLP)

    def test_folder_is_refused(self, tmp_path: Path) -> None:
        """A folder cannot be read as a study."""
        with pytest.raises(StudyFileError, match="cannot be read: Is a directory"):
            load_study_file(tmp_path, MLP)

    def test_file_name_that_is_no_study_name_is_refused(self, tmp_path: Path) -> None:
        """Without a name inside, the file's own must be one."""
        path = tmp_path / "my study.toml"
        path.write_text("[search]\nblock_size = { low = 2, high = 3 }\n")
        with pytest.raises(StudyFileError, match=r"name must be .*; got 'my study'"):
            load_study_file(path, MLP)


class TestNamesAndDurations:
    @pytest.mark.parametrize("name", ["a", "names", "Names-2.1_b", "0", "x" * 64, "a..b"])
    def test_plain_names_are_taken(self, name: str) -> None:
        """Letters, digits and three signs, up to 64."""
        assert check_name("--as", name) == name

    def test_refusal_names_the_place_that_it_came_from(self) -> None:
        """A name given on the command line is refused under its option."""
        with pytest.raises(OptionError, match=r"^--as must be .*; got '\.\.'"):
            check_name("--as", "..")

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [("90s", 90), ("10m", 600), ("1.5h", 5_400), ("0.5s", 0.5), ("none", None), ("24h", 86_400)],
    )
    def test_durations_are_seconds(self, text: str, seconds: float | None) -> None:
        """Seconds, minutes and hours, whole or not; none is no limit."""
        assert parse_duration("timeout", text) == seconds


@given(raw=studies | likely | st.dictionaries(st.text(max_size=6), anything, max_size=4))
@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_file_is_a_study_or_a_foreseen_refusal(raw: dict[str, Any]) -> None:
    """Nothing that TOML can hold raises anything but a SweepError; what passes can be stored."""
    lines: tuple[str, ...] = ()
    try:
        spec = parse_study(raw, MLP)
    except SweepError as error:
        lines = error.lines
    else:
        assert_storable(spec)
    assert not any("\n" in line for line in lines)


def assert_storable(spec: StudySpec) -> None:
    assert spec.total_trials >= 1
    identity = spec.identity(MLP, "ab" * 32)
    assert fingerprint(json.loads(json.dumps(identity, allow_nan=False))) == fingerprint(identity)
    for params in spec.listed:
        assert MLP.make_config(spec.config_values(params))


MISTAKEN = """
trials = 0
sampel = "tpe"
timeout = "5"
block_size = 4

[data]
words = 3
dedup = true

[fixed]
momentun = 0.9
hidden_neurons = "many"

[search]
learning_rate = { low = 1.0, high = 0.1 }
batch_size = { choices = [16, 16] }
block_size = 7

[[trial]]
logged = -1

[log]
data_sha256 = "x"

[resources]
cpu = 1
"""

LATER = """
sampler = "grid"
trials = 3

[search]
block_size = { low = 2, high = 8 }
learning_rate = { low = 0.1, high = 1.0 }
decay_at = { low = 0.5, high = 2.0 }

[[trial]]
block_size = 9

[[trial]]
block_size = 3
"""


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (
            MISTAKEN,
            [
                *("trials must", "'sampel'", "timeout must", "block_size is a hyper", "data.words must"),
                *("'dedup'", "'momentun'", "hidden_neurons must", "learning_rate is empty", "16 twice"),
                *("block_size must be {", "trial.logged", "64 hex", "'cpu'"),
            ],
        ),
        (
            LATER,
            [
                *("block_size is a range", "learning_rate is a range", "decay_at is a range"),
                *("decay_at from 0.5", "number 1 lacks", "number 2 lacks"),
            ],
        ),
    ],
)
def test_all_mistakes_of_a_file_are_reported_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, wrong: list[str]
) -> None:
    """Each has a line of its own, with the file and the rule; the command ends with 1."""
    path = tmp_path / "study.toml"
    path.write_text(text)
    assert main(["run", str(path)]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert all(line.startswith(f"sweep: {path}: ") for line in lines)
    assert len(lines) == len(wrong), lines
    for part in wrong:
        assert len([line for line in lines if part in line]) == 1, part


def test_rules_between_settings_are_reported_together() -> None:
    """Two conflicts of one pruner are two lines."""
    with pytest.raises(StudyFileError) as refusal:
        parse(sampler="gp", pruner="asha", objectives=["dev_loss", "n_params"])
    assert [line.split()[0] for line in refusal.value.lines] == ["sampler", "pruner"]
