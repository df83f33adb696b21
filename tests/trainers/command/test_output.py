"""Figures in what a command prints: formats of real libraries, what only looks like a figure, streams."""

import itertools
import json
import math
import re
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweep.trainers.command.output import MetricReader
from sweep.trainers.program.reports import Report


def read(text: str | bytes, *names: str, step: str | None = None, pattern: str | None = None) -> list[Report]:
    reader = MetricReader(names, step=step, read=re.compile(pattern) if pattern else None)
    return reader.feed(text if isinstance(text, bytes) else text.encode()) + reader.close()


def values(text: str | bytes, *names: str) -> list[Mapping[str, float]]:
    return [report.values for report in read(text, *names)]


KERAS_3 = (
    "Epoch 2/3\n"
    "\x1b[1m  1/313\x1b[0m \x1b[37m━━━━\x1b[0m \x1b[1m8s\x1b[0m 27ms/step - accuracy: 0.9062 - loss: 0.2891"
    "\x08\x08\x08\x08\x08\x08\x08\x08\r"
    "\x1b[1m313/313\x1b[0m \x1b[32m━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m1s\x1b[0m 2ms/step - accuracy: 0.9203"
    " - loss: 0.2712 - val_accuracy: 0.9411 - val_loss: 0.2031\n"
)
LIGHTNING_TABLE = """
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━━━━┓
┃\x1b[1m \x1b[0m\x1b[1m     Validate metric     \x1b[0m\x1b[1m \x1b[0m┃       DataLoader 0        ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━━━━┩
│\x1b[36m         val_acc         \x1b[0m\x1b[36m \x1b[0m│\x1b[35m    0.9412345886230469     \x1b[0m│
│         val_loss          │    0.2031234502792358     │
└───────────────────────────┴───────────────────────────┘
"""

FORMATS: dict[str, tuple[str, str, float]] = {
    "keras 2": (
        "1875/1875 [==============================] - 3s 2ms/step - loss: 0.2 - acc: 0.94 - val_loss: 0.13\n",
        "val_loss",
        0.13,
    ),
    "keras 3, colours and backspaces": (KERAS_3, "val_accuracy", 0.9411),
    "lightning, tqdm": (
        "\rEpoch 0: 100%|████| 100/100 [00:01<00:00, 83.10it/s, v_num=0, train_loss=0.123, val_acc=0.94]\r",
        "val_acc",
        0.94,
    ),
    "lightning, rich": (
        "Epoch 0/9  ━━━━━━━━ 100/100 0:00:01 • 0:00:00 83.10it/s v_num: 0.000 val_acc: 0.940\n",
        "val_acc",
        0.94,
    ),
    "lightning, rich table": (LIGHTNING_TABLE, "val_acc", 0.9412345886230469),
    "lightning, plain table": (
        "────────────────────────\n     Validate metric           DataLoader 0\n────\n"
        "        val_acc             0.9412345886230469\n",
        "val_acc",
        0.9412345886230469,
    ),
    "lightning 1, dict": ("{'val_acc': 0.9412, 'val_loss': 0.2031}\n", "val_acc", 0.9412),
    "transformers 4, training": (
        "{'loss': 0.3012, 'grad_norm': 1.25, 'learning_rate': 1e-05, 'epoch': 1.0}\n",
        "learning_rate",
        1e-05,
    ),
    "transformers 4, evaluation behind a bar": (
        "\r 50%|█████     | 5/10 [00:01<00:01,  4.2it/s]\r                   \r"
        "{'eval_loss': 0.2031, 'eval_accuracy': 0.9412, 'eval_runtime': 1.23, 'epoch': 1.0}\n",
        "eval_accuracy",
        0.9412,
    ),
    "transformers 4, summary": ("  eval_accuracy           =     0.9412\n", "eval_accuracy", 0.9412),
    "transformers 5, numbers as text": (
        "{'eval_loss': '0.2031', 'eval_accuracy': '0.9412', 'epoch': '1'}\n",
        "eval_loss",
        0.2031,
    ),
    "xgboost": ("[0]\ttrain-rmse:0.50123\teval-rmse:0.52345\n", "eval-rmse", 0.52345),
    "xgboost, scikit-learn": (
        "[12]\tvalidation_0-logloss:0.61\tvalidation_1-logloss:0.62\n",
        "validation_1-logloss",
        0.62,
    ),
    "xgboost, cross-validation": ("[3]\ttrain-rmse:0.50+0.01\ttest-rmse:0.52+0.02\n", "test-rmse", 0.52),
    "lightgbm": (
        "[1]\ttraining's binary_logloss: 0.601\tvalid_1's binary_logloss: 0.612\n",
        "valid_1's binary_logloss",
        0.612,
    ),
    "lightgbm, command line": (
        "[LightGBM] [Info] Iteration:1, valid_1 auc : 0.7712\n",
        "valid_1 auc",
        0.7712,
    ),
    "catboost": (
        "0:\tlearn: 0.6771\ttest: 0.6789\tbest: 0.6789 (0)\ttotal: 10.1ms\tremaining: 9.99s\n",
        "test",
        0.6789,
    ),
    "catboost, the end": ("\nbestTest = 0.6123\nbestIteration = 12\n", "bestTest", 0.6123),
    "nanogpt": ("step 250: train loss 1.9654, val loss 2.0123\n", "val loss", 2.0123),
    "fairseq": (
        "2021-01-01 00:00:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 9.123 "
        "| nll_loss 8.4 | ppl 345.6 | wps 0\n",
        "ppl",
        345.6,
    ),
    "fairseq, json": ('{"epoch": 1, "valid_loss": "9.123", "valid_ppl": "345.6"}\n', "valid_loss", 9.123),
    "timm": (
        "Test: [  78/78]  Time: 0.112 (0.131)  Loss:  0.5432 (0.6543)  Acc@1: 87.500 (76.540)  "
        "Acc@5: 95.0 (93.1)\n",
        "Acc@1",
        87.5,
    ),
    "timm, validate": (" * Acc@1 76.542 (23.458) Acc@5 93.112 (6.888)\n", "Acc@1", 76.542),
    "timm, result": (
        '--result\n{\n    "model": "resnet50",\n    "top1": 76.542,\n    "top5": 93.1\n}\n',
        "top1",
        76.542,
    ),
    "pytorch example, imagenet": (
        "Epoch: [0][ 10/100]\tTime  0.1 ( 0.2)\tLoss 6.93e+00 (6.99e+00)\tAcc@1   1.56 (  0.50)\n",
        "Loss",
        6.93,
    ),
    "pytorch tutorial, percent": ("Test Error: \n Accuracy: 64.9%, Avg loss: 1.070 \n\n", "Accuracy", 64.9),
    "hydra's logging": ("[2024-01-01 12:00:00,123][__main__][INFO] - val_loss: 0.3125\n", "val_loss", 0.3125),
    "python's logging": ("INFO:root:val_loss=0.3125\n", "val_loss", 0.3125),
    "rich table": ("│ val_acc │ 0.94 │\n", "val_acc", 0.94),
    "rich, highlighted": ("\x1b[33mval_acc\x1b[0m=\x1b[1;36m0.94\x1b[0m\n", "val_acc", 0.94),
    "rich, a name in two colours": (
        "\x1b[35mval/\x1b[0m\x1b[95macc\x1b[0m: \x1b[1;36m0.94\x1b[0m\n",
        "val/acc",
        0.94,
    ),
    "markdown table": ("| val_acc | 0.94 |\n", "val_acc", 0.94),
    "tensor": ("val_loss: tensor(0.2134, device='cuda:0', grad_fn=<NllLossBackward0>)\n", "val_loss", 0.2134),
    "tensor with one entry": ("val_loss tensor([0.2134])\n", "val_loss", 0.2134),
    "tensorflow": ("loss = <tf.Tensor: shape=(), dtype=float32, numpy=0.2134>\n", "loss", 0.2134),
    "jax": ("loss: Array(0.2134, dtype=float32)\n", "loss", 0.2134),
    "numpy scalar": ("val_acc: np.float64(0.9412)\n", "val_acc", 0.9412),
    "dict of library numbers": (
        "{'loss': tensor(0.2), 'val_acc': np.float64(0.9412), 'lr': [0.1, 0.2], 'note': None}\n",
        "val_acc",
        0.9412,
    ),
    "json line": ('{"epoch": 3, "val_acc": 0.9412}\n', "val_acc", 0.9412),
    "json line, nested": ('{"eval": {"rmse": 0.5, "mae": 0.4}}\n', "eval.rmse", 0.5),
    "json line, escaped name": ('{"pr\\u00e9cision": 0.9}\n', "précision", 0.9),
    "python dict, nested": ("{'eval': {'rmse': 0.5}, 'note': 'eval.rmse: 3'}\n", "eval.rmse", 0.5),
    "dict behind text": ("Step 3: metrics={'val_acc': 0.9412, 'n': 3}\n", "val_acc", 0.9412),
    "carriage-return frames": ("\rloss=0.9\rloss=0.5\rloss=0.25", "loss", 0.25),
    "windows lines": ("val_acc: 0.94\r\n", "val_acc", 0.94),
    "exponent": ("loss=1.25E-03\n", "loss", 0.00125),
    "negative": ("elbo: -1234.5\n", "elbo", -1234.5),
    "megatron": (
        " iteration 10/ 100 | consumed samples: 80 | lm loss: 1.1E+01 | grad norm: 0.9 |\n",
        "lm loss",
        11.0,
    ),
    "end of a sentence": ("The val_acc: 0.94.\n", "val_acc", 0.94),
    "in parentheses": ("epoch 3 done (val_acc=0.94)\n", "val_acc", 0.94),
    "bold": ("**val_acc**: 0.94\n", "val_acc", 0.94),
    "dots": ("val_acc ........ 0.94\n", "val_acc", 0.94),
    "whole number": ("epoch 3 errors: 12 val\n", "errors", 12.0),
}


@pytest.mark.parametrize("name", FORMATS)
def test_format_of_a_library_is_read(name: str) -> None:
    """The last report has the figure, whatever surrounds it."""
    text, metric, value = FORMATS[name]
    assert values(text, metric)[-1] == {metric: value}


@pytest.mark.parametrize("text", ["nan", "NaN", "-inf", "inf", "Infinity", "tensor(nan)", "np.float64(nan)"])
def test_what_is_not_finite_is_read(text: str) -> None:
    """A diverged run reports NaN or infinity as Python, numpy and torch print them."""
    [found] = values(f"loss: {text}\n", "loss")
    assert not math.isfinite(found["loss"])


REFUSED = {
    "a longer name": "val_loss: 0.3",
    "a longer name after it": "loss_total: 0.3",
    "a longer name with a hyphen": "eval-loss:0.3",
    "a longer name with a slash": "val/loss: 0.3",
    "a longer name with a dot": "model.loss: 0.3",
    "an option of the command": "python train.py --loss=0.3",
    "within a word": "glossy: 0.3",
    "another case": "Loss: 0.3",
    "a thousands comma": "loss: 1,234.5",
    "a decimal comma": "loss: 0,123",
    "a path": "saved to /data/loss=0.3/model.pt",
    "a path's folder": "saved to loss=0.3/model.pt",
    "a file's name": "saved loss=0.21.ckpt",
    "a file's name with a step": "epoch=3-loss=0.21.ckpt",
    "an address": "see http://host/?loss=0.3&x=1",
    "a version": "loss 1.2.3",
    "a time": "loss: 12:30",
    "a long time": "loss = 0:00:01.23",
    "a date": "loss: 2024-01-01",
    "a duration": "loss: 5s",
    "a number with a unit": "loss: 12MiB",
    "a hexadecimal number": "loss: 0x1F",
    "a fraction": "loss: 3/10",
    "a spaced fraction": "loss: 3 / 10",
    "a range": "loss: 0.1-0.2",
    "a change": "loss: 0.3 -> 0.2",
    "a change with a long arrow": "loss: 0.30 --> 0.29",
    "a list": "loss: [0.3, 0.4]",
    "a tensor of several": "loss: tensor([0.1, 0.2])",
    "a call": "loss: CrossEntropyLoss(0.3)",
    "a count": "saw loss 3 times in a row",
    "words between": "loss improved by 0.01",
    "a condition": "loss <= 0.3",
    "a power": "loss: 10^-3",
    "no number": "loss: n/a",
    "nothing": "loss:",
    "a boolean": '{"loss": true}',
    "nothing in json": '{"loss": null}',
    "text in json": '{"loss": "low"}',
    "in a value of json": '{"note": "loss: 0.3"}',
    "deeper in json": '{"train": {"loss": 0.3}}',
    "lightgbm's other set": "[1]\ttraining's loss: 0.6",
    "the best so far": "best loss: 0.3",
    "two figures": "train loss 4.2, val loss 4.3",
    "another quoted name": "'total loss': 0.3",
    "a word that begins with nan": "loss: nancy",
    "the name's end": "floss: 0.3 0.4",
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_only_looks_like_a_figure_is_not_read(name: str) -> None:
    """The metric is ``loss``; no value is better than a wrong one."""
    assert values(f"{REFUSED[name]}\n", "loss") == []


@given(st.floats(allow_nan=False), st.sampled_from(["loss: {}", "loss={}", "{{'loss': {}}}", "loss {} |"]))
def test_every_float_that_python_prints_is_read_exactly(value: float, form: str) -> None:
    """``repr`` is read back to the last bit."""
    assert values(form.format(repr(value)) + "\n", "loss") == [{"loss": value}]


@given(st.text(max_size=300))
def test_any_text_is_survived(text: str) -> None:
    """No line makes the reader fail, in a mapping or not."""
    raw = f"loss{text}\n{{'loss': {text}}}\nloss: {text}\n{text}".encode("utf-8", "replace")
    for report in read(raw, "loss", "eval.loss", step="e"):
        assert report.values


@given(st.binary(max_size=300))
def test_any_bytes_are_survived(raw: bytes) -> None:
    """Garbage before a line does not hide it."""
    assert values(raw + b"\nloss: 0.5\n", "loss")[-1:] == [{"loss": 0.5}]


MIXED = KERAS_3 + "\rloss=0.9\rloss=0.5\r\nval_loss: 0.1\r\nloss: 0.2\n" + LIGHTNING_TABLE + "loss 0.125"


@given(st.lists(st.integers(0, len(MIXED.encode())), max_size=20))
def test_pieces_do_not_matter(cuts: list[int]) -> None:
    """The same bytes give the same reports, wherever the stream is cut, also within a character."""
    raw = MIXED.encode()
    reader = MetricReader(["loss", "val_loss"], step="Epoch")
    places = [0, *sorted(cuts), len(raw)]
    reports = [r for a, b in itertools.pairwise(places) for r in reader.feed(raw[a:b])] + reader.close()
    assert reports == read(raw, "loss", "val_loss", step="Epoch")
    assert [report.values.get("loss") for report in reports if "loss" in report.values] == [
        0.2891,
        0.2712,
        0.9,
        0.5,
        0.2,
        0.125,
    ]


class TestSteps:
    @pytest.mark.parametrize(
        ("line", "name", "step"),
        [
            ("Epoch 3/10 - loss: 0.3", "Epoch", 3),
            ("Epoch [3/10] loss: 0.3", "Epoch", 3),
            ("Epoch: [3][10/100] loss 0.3", "Epoch", 3),
            ("step 250: loss 2.0123", "step", 250),
            ("iter 10: loss 3.2, time 40.2ms", "iter", 10),
            ("epoch=3 loss=0.3", "epoch", 3),
            ("epoch 001 | loss 9.1", "epoch", 1),
            ("{'loss': 0.3, 'epoch': 2.0}", "epoch", 2),
            ('{"loss": 0.3, "epoch": "2"}', "epoch", 2),
            ("Epoch 0: 100%|███| 3/3 [00:01, loss=0.3]", "Epoch", 0),
            ("{'loss': 0.3, 'epoch': 0.5}", "epoch", None),
            ("epoch 50% loss: 0.3", "epoch", None),
            ("global_step 3 loss: 0.3", "step", None),
            ("best epoch 3 loss: 0.3", "epoch", None),
            ("epoch=3-x.ckpt loss: 0.3", "epoch", None),
            ("step 1,000 loss: 0.3", "step", None),
        ],
    )
    def test_step_of_a_line(self, line: str, name: str, step: int | None) -> None:
        """A step is a whole number after its name."""
        [report] = read(line + "\n", "loss", step=name)
        assert report.step == step

    def test_a_step_holds_until_the_next(self) -> None:
        """Keras prints the epoch on a line of its own."""
        text = "Epoch 1/2\nval: 0.3\nEpoch 2/2\nval: 0.2\nval: 0.1\n"
        assert [(r.step, r.values["val"]) for r in read(text, "val", step="Epoch")] == [
            (1, 0.3),
            (2, 0.2),
            (2, 0.1),
        ]


class TestFrames:
    def test_a_redrawn_frame_is_no_report(self) -> None:
        """A bar that shows the same figure ten times reports once."""
        assert values("\r1/3 acc=0.5\r2/3 acc=0.5\r3/3 acc=0.5\r3/3 acc=0.6\n", "acc") == [
            {"acc": 0.5},
            {"acc": 0.6},
        ]

    def test_equal_lines_are_reports(self) -> None:
        """Two epochs may have the same figure, with bars between them."""
        text = "\r1/2\r2/2 acc=1.0\n\r1/2\r2/2 acc=1.0\nacc=1.0\nacc=1.0\n"
        assert values(text, "acc") == [{"acc": 1.0}] * 4

    def test_only_carriage_returns(self) -> None:
        """Output without any newline is read as it comes, and not collected."""
        reader = MetricReader(["acc"])
        seen = [report.values["acc"] for i in range(1000) for report in reader.feed(b"acc=0.%03d\r" % i)]
        assert seen == [i / 1000 for i in range(999)]
        assert [report.values["acc"] for report in reader.close()] == [0.999]


class TestPauses:
    def test_a_frame_without_an_end_is_seen_once(self) -> None:
        """A bar that waits has drawn its figures already; its end adds no report."""
        reader = MetricReader(["acc"], step="Epoch")
        assert reader.feed(b"\rEpoch 1: acc=0.5, loss=1") == []
        assert [report.values for report in reader.idle()] == [{"acc": 0.5}]
        assert reader.idle() == []
        assert reader.feed(b"\r") == []
        assert [report.step for report in reader.feed(b"Epoch 2: acc=0.5\n")] == [2]

    def test_the_next_line_is_another_report(self) -> None:
        """Equal figures on the next line count."""
        reader = MetricReader(["acc"])
        reader.feed(b"x\nacc=0.5,")
        assert [len(reader.idle()), len(reader.feed(b"\n")), len(reader.feed(b"acc=0.5\n"))] == [1, 0, 1]

    @pytest.mark.parametrize("number", ["12.53", "-1.5e-05", "nan", "1_000", "+3"])
    def test_a_number_that_a_block_cuts_is_read_whole(self, number: str) -> None:
        """A program that writes in blocks pauses anywhere, also inside a number; then the rest follows."""
        for cut in range(len(number) + 1):
            reader = MetricReader(["loss"])
            line = f"loss: {number}"
            first, rest = line[: len(line) - cut], line[len(line) - cut :]
            seen = reader.feed(f"x\n{first}".encode())
            seen += reader.idle()
            seen += reader.feed(f"{rest}\n".encode())
            whole = MetricReader(["loss"]).feed(f"{line}\n".encode())
            assert [repr(report.values) for report in seen] == [repr(report.values) for report in whole]

    def test_nothing_is_there(self) -> None:
        """Silence, other text and a finished frame are no reports."""
        reader = MetricReader(["acc"])
        assert reader.idle() == []
        reader.feed(b"loss=1\x1b[0m acc\r")
        assert reader.idle() == []


class TestSeveral:
    def test_all_metrics_of_a_line_are_one_report(self) -> None:
        """Two objectives, or a figure for ``feasible``, stand in one line."""
        assert values("acc: 0.9, ms=12.5\nacc: 0.8\n", "acc", "ms") == [
            {"acc": 0.9, "ms": 12.5},
            {"acc": 0.8},
        ]

    def test_percent_is_not_mixed(self) -> None:
        """A figure that is a percentage in some lines only is read in the form that came first."""
        assert values("acc: 94.5%\nacc: 0.95\nacc: 95.5 %\n", "acc") == [{"acc": 94.5}, {"acc": 95.5}]
        assert values("acc: 0.95\nacc: 94.5%\n", "acc") == [{"acc": 0.95}]


class TestPattern:
    def test_read_takes_the_groups(self) -> None:
        """``read`` is searched in each line, without colours."""
        text = "[003] acc of the network: \x1b[1m54\x1b[0m % after\nacc of the network: none\n"
        [report] = read(text, "acc", pattern=r"^\[(?P<step>\d+)\] .*network: (?P<value>\S+) %")
        assert report == Report(step=3, values={"acc": 54.0})

    def test_a_group_that_is_no_number_is_no_figure(self) -> None:
        """What the pattern takes must be a number as a whole."""
        assert read("a=1,234.5\na=x\na=\n", "a", pattern=r"a=(?P<value>\S*)") == []
        assert read("a=5 s=0.5\n", "a", pattern=r"a=(?P<value>\S*) s=(?P<step>\S+)")[0].step is None


class TestMissing:
    def test_message_names_what_was_printed(self) -> None:
        """The line for a trial that never named its metric."""
        reader = MetricReader(["val_acc"])
        for epoch in range(4_120):
            assert reader.feed(f"Epoch {epoch} val_accuracy: 0.9, val_loss=0.2\n".encode()) == []
        assert reader.missing("val_acc") == (
            "none of its 4,120 lines names 'val_acc'; did you mean val_accuracy? "
            "it printed: val_accuracy, val_loss"
        )

    @pytest.mark.parametrize(
        "line", ["epoch 1 loss 0.5", "loss=0.5", '{"loss": 0.5}', "took 3 s, loss -1.5e-3"]
    )
    def test_message_asks_for_the_nearest_name(self, line: str) -> None:
        """Case makes a name another, in every form of line that the reader knows."""
        for name in ("Loss", "LOSS"):
            reader = MetricReader([name])
            reader.feed(f"{line}\n".encode() * 3)
            assert reader.missing(name) == (
                f"none of its 3 lines names {name!r}; did you mean loss? it printed: loss"
            )

    def test_message_names_a_line_with_two_figures(self) -> None:
        """The user learns why a name that is there was not read."""
        reader = MetricReader(["loss"])
        reader.feed(b"step 0: train loss 4.2, val loss 4.3\n")
        assert reader.missing("loss") == (
            "'loss' has several figures in one line, 'step 0: train loss 4.2, val loss 4.3'; "
            "use a longer name, or the key read"
        )

    @pytest.mark.parametrize(
        "line",
        ["loss: 1,234.5", "epoch 2 - loss = 0,31", '{"loss": "low"}', "│ loss │ n/a │", "the loss fell"],
    )
    def test_message_names_a_line_without_a_number(self, line: str) -> None:
        """A figure that cannot be read, such as one with separators, is shown as it is printed."""
        reader = MetricReader(["loss"])
        assert reader.feed(f"ready\n{line}\n".encode()) == []
        assert reader.missing("loss") == (
            f"no number can be read after 'loss' in {line!r}; print it like 1234.5, or use the key read"
        )

    def test_message_of_a_pattern_of_the_users(self) -> None:
        """It is the pattern that matches nothing, whatever names there are."""
        reader = MetricReader(["acc"], read=re.compile(r"final (?P<value>\S+)"))
        assert reader.feed(b"acc: 0.5\nfinal n/a\n\n") == []
        assert reader.missing("acc") == (
            "no line has a number where read, 'final (?P<value>\\\\S+)', looks for 'acc'; "
            "the last line is 'final n/a'"
        )

    def test_message_for_silence(self) -> None:
        """Nothing printed is said as such."""
        assert MetricReader(["loss"]).missing("loss") == "it printed nothing, so 'loss' is missing"

    def test_names_of_json_and_of_the_end(self) -> None:
        """Names come from mappings too, and from the end of a long output."""
        reader = MetricReader(["x"])
        reader.feed(b'{"eval": {"rmse": 1}}\n' + b"filler\n" * 100_000 + b"late: 3\n")
        assert reader.missing("x").endswith("; it printed: eval.rmse, late")


class TestBounds:
    def test_an_endless_line_is_dropped(self) -> None:
        """Ten megabytes without an end take no memory, and what follows is read."""
        reader = MetricReader(["loss"])
        for _ in range(160):
            assert reader.feed(b"loss: 1 " * 8192) == []
            assert len(reader._pending) <= (1 << 20) + (1 << 16)
        assert [r.values for r in reader.feed(b"loss: 2\nloss: 3\n")] == [{"loss": 3.0}]

    def test_memory_is_flat(self) -> None:
        """What is kept of a long output is bounded."""
        reader = MetricReader(["loss"])
        for _ in range(500):
            reader.feed(b"nothing of interest here\n" * 2000)
        kept = len(reader._printed._head) + len(reader._printed._tail) + len(reader._pending)
        assert kept <= 1 << 18

    def test_deep_json_is_survived(self) -> None:
        """Nesting that would overflow a parser is read as other text is."""
        deep = '{"a":' * 100_000 + "1" + "}" * 100_000
        assert values(f"{deep}\n{json.dumps({'a': 1})}\n", "a")[-1] == {"a": 1.0}
