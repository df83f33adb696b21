"""A trial's values as arguments: token by token, and read back by the libraries that define the styles."""

import argparse
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from sweep.errors import StudyFileError
from sweep.trainers.command.arguments import CommandLine
from sweep.trainers.command.placeholders import Place
from sweep.trainers.command.styles import STYLES

PLACE = Place(
    seed=7,
    dir=Path("/trials/3"),
    here=Path("/my studies"),
    checkpoint=Path("/trials/3/checkpoint"),
    trial=3,
    study="digits",
    python="/usr/bin/python3",
    port=29500,
    configs={"json": Path("/trials/3/config.json"), "yaml": Path("/trials/3/config.yaml")},
)

HOSTILE = [
    "a b",
    '"q"',
    "it's",
    "$(touch x)",
    "`x`",
    "${HOME}",
    "zoë ∑ 数",
    "a;b|c&d",
    "*",
    "\\",
    "-x",
    "",
    "#",
    "a=b",
]
FINE_FLOATS = [-1e-05, 1e-05, -0.5, 1e22, -1e22, 0.1, 3.0, -5e-324]

line = st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"]), max_size=20)


def argv(values: Mapping[str, Any], command: list[str] | None = None, **settings: Any) -> list[str]:
    """Return the tokens after the program."""
    parsed = CommandLine.parse(command or ["p", "{args}"], params=list(values), **settings)
    return parsed.expand(values, PLACE)[1:]


def mistakes(command: Any, params: Any = ("lr", "depth"), **settings: Any) -> tuple[str, ...]:
    with pytest.raises(StudyFileError) as refusal:
        CommandLine.parse(command, params=params, **settings)
    assert all("\n" not in text for text in refusal.value.lines)
    return refusal.value.lines


VALUES = {
    "lr": 1e-05,
    "shift": -1e-05,
    "depth": 3,
    "use_bn": True,
    "bias": False,
    "model.act": "re lu",
    "sizes": [3, -4],
    "note": "$(x) 'é\"",
}

TOKENS = {
    "argparse": [
        *("--lr=1e-05", "--shift=-1e-05", "--depth=3", "--use_bn", "--model.act=re lu"),
        *("--sizes", "3", "-4", "--note=$(x) 'é\""),
    ],
    "words": [
        *("--lr", "1e-05", "--shift", "-0.00001", "--depth", "3", "--use_bn", "True", "--bias", "False"),
        *("--model.act", "re lu", "--sizes", "3", "-4", "--note", "$(x) 'é\""),
    ],
    "hydra": [
        *("lr=1e-05", "shift=-1e-05", "depth=3", "use_bn=true", "bias=false", "model.act='re lu'"),
        *("sizes=[3,-4]", "note='$(x) \\'é\"'"),
    ],
    "click": [
        *("--lr=1e-05", "--shift=-1e-05", "--depth=3", "--use_bn", "--no-bias", "--model.act=re lu"),
        *("--sizes=3", "--sizes=-4", "--note=$(x) 'é\""),
    ],
    "absl": [
        *("--lr=1e-05", "--shift=-1e-05", "--depth=3", "--use_bn", "--nobias", "--model.act=re lu"),
        *("--sizes=3,-4", "--note=$(x) 'é\""),
    ],
}


@pytest.mark.parametrize("style", STYLES)
def test_tokens_of_a_style(style: str) -> None:
    """Every kind of value, token by token."""
    assert argv(VALUES, style=style) == TOKENS[style]


@pytest.mark.parametrize("style", STYLES)
def test_an_inactive_parameter_has_no_token(style: str) -> None:
    """A trial gives the parameters that it has, in the study's order."""
    parsed = CommandLine.parse(["p", "{args}", "--d={depth}"], params=["lr", "gamma", "depth"], style=style)
    assert parsed.expand({"lr": 0.5}, PLACE) == ["p", *STYLES[style].argument("lr", 0.5)]


class TestRealParsers:
    @given(
        st.one_of(st.sampled_from(HOSTILE), line), st.floats(allow_nan=False), st.integers(), st.booleans()
    )
    def test_argparse_reads_what_was_meant(self, text: str, number: float, whole: int, flag: bool) -> None:
        """Equal to the last bit, whatever the text looks like."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--text")
        parser.add_argument("--number", type=float)
        parser.add_argument("--whole", type=int)
        parser.add_argument("--flag", action="store_true")
        values = {"text": text, "number": number, "whole": whole, "flag": flag}
        assert vars(parser.parse_args(argv(values))) == values

    @pytest.mark.parametrize("style", ["argparse", "words"])
    @given(numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5))
    def test_argparse_reads_lists(self, style: str, numbers: list[float]) -> None:
        """argparse takes a word such as -1e-05 for an option, so it is written without exponent."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--sizes", type=float, nargs="*")
        assert parser.parse_args(argv({"sizes": numbers}, style=style)).sizes == numbers

    @pytest.mark.parametrize("number", FINE_FLOATS)
    def test_argparse_reads_words(self, number: float) -> None:
        """A float that is a word of its own is read as well."""
        parser = argparse.ArgumentParser()
        parser.add_argument("--x", type=float)
        assert parser.parse_args(argv({"x": number}, style="words")).x == number

    @given(
        text=st.one_of(st.sampled_from(HOSTILE), line),
        number=st.floats(allow_nan=False),
        flag=st.booleans(),
        many=st.lists(line, min_size=1),
    )
    def test_click_reads_what_was_meant(self, text: str, number: float, flag: bool, many: list[str]) -> None:
        """Flags in pairs, lists as options that repeat."""
        seen: dict[str, Any] = {}

        @click.command()
        @click.option("--text")
        @click.option("--number", type=float)
        @click.option("--flag/--no-flag", default=None)
        @click.option("--many", multiple=True)
        def command(**values: Any) -> None:
            seen.update(values)

        values = {"text": text, "number": number, "flag": flag, "many": many}
        result = CliRunner().invoke(command, argv(values, style="click"), catch_exceptions=False)
        assert (result.exit_code, seen) == (0, {**values, "many": tuple(many)})

    @pytest.mark.parametrize(
        "value", [True, None, 1e-05, 3, "true", "3", [1, "a b"], "\\", "x\\'", "${a}", *HOSTILE]
    )
    def test_hydra_reads_what_was_meant(self, value: Any) -> None:
        """Text that looks like another kind of value stays text."""
        parser = pytest.importorskip("hydra.core.override_parser.overrides_parser")
        omegaconf = pytest.importorskip("omegaconf")
        [token] = argv({"x": value}, style="hydra")
        config = omegaconf.OmegaConf.create(
            {"x": parser.OverridesParser.create().parse_override(token).value()}
        )
        assert omegaconf.OmegaConf.to_container(config, resolve=True) == {"x": value}

    def test_absl_reads_what_was_meant(self) -> None:
        """Booleans with ``no``, lists with commas."""
        flags = pytest.importorskip("absl.flags")
        known = flags.FlagValues()
        flags.DEFINE_bool("bias", True, "", flag_values=known)
        flags.DEFINE_list("names", [], "", flag_values=known)
        flags.DEFINE_float("lr", 1.0, "", flag_values=known)
        known(["p", *argv({"bias": False, "names": ["a b", "c,d", 'e"f'], "lr": -1e-05}, style="absl")])
        assert (known.bias, known.names, known.lr) == (False, ["a b", "c,d", 'e"f'], -1e-05)

    def test_a_process_gets_the_tokens(self) -> None:
        """No shell is between: each token arrives as it is."""
        shown = [sys.executable, "-c", "import sys; print(ascii(sys.argv[1:]))", "{args}"]
        parsed = CommandLine.parse(shown, params=["x", "y"])
        tokens = parsed.expand({"x": "$(echo 1) * 'é\"", "y": "; ls"}, PLACE)
        printed = subprocess.run(tokens, capture_output=True, text=True, check=True).stdout
        assert printed.strip() == ascii(["--x=$(echo 1) * 'é\"", "--y=; ls"])


class TestPlaceholders:
    def test_every_place(self) -> None:
        """What is no parameter is filled in from the trial's place."""
        command = [
            "{here}/p",
            "{seed}",
            "{dir}",
            "{checkpoint}",
            "{trial}",
            "{study}",
            "{python}",
            "{port}",
            "{config.json}",
        ]
        parsed = CommandLine.parse([*command, "a{{b}}"], params=[])
        assert parsed.formats == ("json",)
        assert parsed.expand({}, PLACE) == [
            *("/my studies/p", "7", "/trials/3", "/trials/3/checkpoint", "3", "digits", "/usr/bin/python3"),
            *("29500", "/trials/3/config.json", "a{b}"),
        ]

    def test_python_is_the_interpreter(self) -> None:
        """As the first token only."""
        parsed = CommandLine.parse(["python", "run.py", "python"], params=[])
        assert parsed.expand({}, PLACE) == ["/usr/bin/python3", "run.py", "python"]

    def test_a_parameter_with_a_placeholders_name(self) -> None:
        """``{param:dir}`` is the parameter, ``{dir}`` the folder."""
        assert argv({"dir": "x", "lr": 1}, ["p", "{args}", "{param:dir}", "{dir}"]) == [
            "--lr=1",
            "x",
            "/trials/3",
        ]

    def test_a_named_parameter_is_not_in_args(self) -> None:
        """Each parameter is given once."""
        assert argv({"lr": 0.5, "depth": 3}, ["p", "{args}", "-d{depth}"]) == ["--lr=0.5", "-d3"]

    def test_a_list_alone_is_spread(self) -> None:
        """As a whole token a list becomes one token an entry; hydra and absl join it."""
        values = {"x": [1, 2]}
        assert argv(values, ["p", "--x", "{x}"]) == ["--x", "1", "2"]
        assert argv(values, ["p", "--x={x}"], style="absl") == ["--x=1,2"]
        assert argv(values, ["p", "m.x={x}"], style="hydra") == ["m.x=[1,2]"]


class TestOverrides:
    def test_forms(self) -> None:
        """A template, several tokens, a pair, nothing."""
        arguments = {
            "hidden_dim": "--hidden-dim={value}",
            "sizes": ["--sizes", "{value}"],
            "bn": ["--bn", "--no-bn"],
            "bias": ["", ["--bias", "none"]],
            "loader": "skip",
        }
        values = {"hidden_dim": 3, "sizes": [1, 2], "bn": False, "bias": False, "loader": "x", "lr": 1}
        assert argv(values, arguments=arguments) == [
            *("--hidden-dim=3", "--sizes", "1", "2", "--no-bn", "--bias", "none", "--lr=1"),
        ]
        assert argv({**values, "bn": True, "bias": True}, arguments=arguments) == [
            *("--hidden-dim=3", "--sizes", "1", "2", "--bn", "--lr=1"),
        ]

    def test_a_skipped_parameter_is_used(self) -> None:
        """A program may read SWEEP_CONFIG instead."""
        assert argv({"lr": 1}, ["p", "x"], arguments={"lr": "skip"}) == ["x"]

    def test_a_configuration_file_uses_all(self) -> None:
        """With ``{config.yaml}`` no other token needs to name a parameter."""
        assert argv({"lr": 1}, ["p", "{config.yaml}"]) == ["/trials/3/config.yaml"]


class TestRefused:
    @pytest.mark.parametrize(
        ("command", "text"),
        [
            (
                "python train.py",
                'because no shell splits it: ["python", "train.py"]; got the text \'python train.py\'',
            ),
            ("'open", 'because no shell splits it: ["\'open"]'),
            ([], "command must be a list of tokens"),
            ({}, "command must be a list of tokens"),
            (["p", 3, "{args}"], "token 2, 3, must be text"),
            ([" ", "{args}"], "token 1, ' ', must name a program"),
            (["p", "a\0", "{args}"], "token 2, 'a\\x00', contains NUL"),
            (["p", "{args}", "{x"], "token 3, '{x', has a lone {; write {{ for a literal brace"),
            (["p", "{args}", "x}"], "token 3, 'x}', has a lone }; write }} for a literal brace"),
            (["p", "{args}", "{}"], "token 3, '{}', has a lone {"),
            (
                ["{args}"],
                "token 1, '{args}', contains {args}, which must be a separate token, after the program",
            ),
            (["p", "--o={args}"], "contains {args}, which must be a separate token"),
            (["p", "{args}", "{args}"], "command has {args} twice"),
            (
                ["p", "{args}", "{dept}"],
                "unknown placeholder {dept}; did you mean depth? known: lr, depth, args, seed",
            ),
            (["p", "{args}", "{param:seed}"], "unknown placeholder {param:seed}"),
            (["p", "{lr}"], "no token uses the parameter depth; add {args}, {depth} or {config.json}"),
        ],
    )
    def test_command(self, command: Any, text: str) -> None:
        """One line with the token and the rule."""
        [line] = mistakes(command)
        assert text in line

    @pytest.mark.parametrize(
        ("entry", "text"),
        [
            ("--depth", "arguments.depth = '--depth' has no {value}; it must be a template"),
            (3, "arguments.depth = 3 must be a template"),
            (True, "arguments.depth = True must be a template"),
            ("{value}{seed}", "names {seed}; only {value} is a placeholder here"),
            ("{value", "has a lone {"),
            (["--a"], "names no {value}; a pair for true and false has 2 entries, not 1"),
            (["a", "b", "c"], "names no {value}; a pair for true and false has 2 entries, not 3"),
            (["a", 3], "must be a template"),
            (["a{value}", 3], "must be a template"),
            (["a", ["b{value}"]], "has {value} in a pair"),
        ],
    )
    def test_overrides(self, entry: Any, text: str) -> None:
        """One line with the key, the value and the rule."""
        [line] = mistakes(["p", "{args}"], arguments={"depth": entry})
        assert text in line

    def test_all_mistakes_at_once(self) -> None:
        """Whoever mends one sees the others in the same run."""
        lines = mistakes(
            ["", "{args}", "{args}", "{nope}", 3, "{"], style="gnu", arguments={"dept": "skip", "lr": "x"}
        )
        starts = ["command: token 1", "command: token 5", "command: token 6", "arguments.lr = 'x'"]
        starts += [
            "unknown parameter 'dept' in [arguments]; did you mean depth?",
            "style must be one of argparse",
        ]
        starts += ["command: token '{nope}': unknown placeholder {nope}"]
        assert [any(line.startswith(start) for line in lines) for start in starts] == [True] * 7
        assert len(lines) == 8  # and {args} twice

    def test_overrides_without_effect(self) -> None:
        """An entry that changes nothing is a mistake of whoever wrote it."""
        [line] = mistakes(["p", "{args}", "{lr}"], arguments={"lr": "--l={value}"})
        assert line == "arguments.lr has no effect: a token of command names {lr}"
        [line] = mistakes(["p", "{config.json}"], arguments={"lr": "--l={value}"})
        assert line == "arguments.lr has no effect: command has no {args}"

    def test_no_table(self) -> None:
        """[arguments] is a table."""
        assert mistakes(["p", "{args}"], arguments=["x"]) == ("[arguments] must be a table, got ['x']",)

    def test_conditional_parameter_after_its_option(self) -> None:
        """The option would remain without its value."""
        [line] = mistakes(["p", "--lr", "{lr}", "{args}"], conditional=["lr"])
        assert line.endswith("write '--lr={lr}' as one token, or use {args}")
        assert argv({"lr": 1}, ["p", "--lr", "{lr}"]) == ["--lr", "1"]
        [line] = mistakes(["{lr}", "{args}"], conditional=["lr"])
        assert "the program '{lr}' names lr, which not every trial has" in line

    @pytest.mark.parametrize("name", ["a b", "a=b", "-a", "a\tb"])
    def test_name_that_is_no_arguments_name(self, name: str) -> None:
        """It needs an entry of its own."""
        [line] = mistakes(["p", "{args}"], params=[name])
        assert f"cannot pass the parameter {name!r}" in line
        assert argv({name: 1}, arguments={name: "--x={value}"}) == ["--x=1"]

    @pytest.mark.parametrize(
        ("style", "value", "rule"),
        [
            ("argparse", "a\nb", "must be one line of text, without NUL"),
            ("argparse", "a\0", "must be one line of text, without NUL"),
            ("argparse", ["a\r"], "must be one line of text, without NUL"),
            ("argparse", "\ud800", "must be text that UTF-8 can encode"),
            ("argparse", {"a": 1}, "must be text, a number, true, false or a list, not dict"),
            ("argparse", None, "is None, which only style hydra can write"),
            ("argparse", [[1], 2], "is a list, which cannot be written here"),
            ("argparse", ["-x"], "contains '-x', which the program would read as an option"),
            ("words", ["-x"], "contains '-x', which the program would read as an option"),
            ("click", [], "is an empty list, which style click cannot write"),
            ("absl", [" a"], "which style absl drops"),
            ("absl", [""], "which style absl drops"),
        ],
    )
    def test_values(self, style: str, value: Any, rule: str) -> None:
        """Both when the study is checked and when a trial is started."""
        parsed = CommandLine.parse(["p", "{args}"], params=["x", "y"], style=style)
        with pytest.raises(StudyFileError, match="x = ") as refusal:
            parsed.check_values({"x": [1, value], "y": [value]})
        assert [rule in text for text in refusal.value.lines] == [True, True]
        with pytest.raises(StudyFileError, match="x = "):
            parsed.expand({"x": value}, PLACE)

    def test_a_list_before_another_token(self) -> None:
        """argparse would take the token for an entry."""
        parsed = CommandLine.parse(["p", "{args}", "data.csv"], params=["x", "y"])
        parsed.check_values({"x": [1, "a"], "y": [True]})
        with pytest.raises(
            StudyFileError, match=r"would include 'data.csv' as another entry; put \{args\} at the end"
        ):
            parsed.check_values({"x": [[1, 2]]})
        CommandLine.parse(["p", "{args}", "--y"], params=["x"]).check_values({"x": [[1, 2]]})

    def test_values_in_tokens(self) -> None:
        """A list has no form within a longer token, and a pair is for true and false."""
        parsed = CommandLine.parse(["p", "--x={x}", "{args}"], params=["x", "y"], arguments={"y": ["-y", ""]})
        with pytest.raises(StudyFileError) as refusal:
            parsed.check_values({"x": [1, [1, 2]], "y": [True, "yes"]})
        assert refusal.value.lines == (
            "x = [1, 2] is a list, which cannot be written here",
            "y = 'yes' must be true or false, because [arguments] has a pair for it",
        )
