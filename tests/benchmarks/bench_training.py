"""How long does a training step take, against the notebook's own loop and against the hardware?

For each row of the tuning log, and for the region where winners are found, three things are
timed in turn, on one thread: the loop as the notebook has it, the CPU's default engine, and a
product of two 512 x 512 matrices. The last gives the *ideal*: the time that the floating-point
operations of the factored step would take at the rate of that product. Each figure is the
median over the rounds, so that noise hits all three alike.

    python tests/benchmarks/bench_training.py [--rounds 5] [--json] [--chart steps.svg]
"""

import argparse
import csv
import dataclasses
import hashlib
import inspect
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 (as the notebook has it)

from sweep.definition.seeds import stream_key
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.engines import DEFAULT_ENGINE, ENGINES
from sweep.trainers.mlp.randomness import minibatch_indices
from sweep.trainers.mlp.schedule import learning_rates
from sweep.trainers.mlp.state import TrainState
from sweep.trainers.mlp.words.corpus import load_corpus
from sweep.trainers.mlp.words.examples import Examples, build_examples

HERE = Path(__file__).parent
WINNER = TrainConfig(block_size=6, embedding_dim=32, hidden_neurons=300, batch_size=128)
SECONDS_A_TURN = 0.15
LOOP_SHA256 = "511f375d7f200b193dba4f411cc968b52dc910d4b4840632770b904ed317cc2c"


def notebook_parameters(vocabulary_size, block_size, embedding_dim, hidden_neurons):
    g = torch.Generator().manual_seed(2147483647)
    C = torch.randn((vocabulary_size, embedding_dim), generator=g)
    W1 = torch.randn((block_size * embedding_dim, hidden_neurons), generator=g)
    b1 = torch.randn(hidden_neurons, generator=g)
    W2 = torch.randn((hidden_neurons, vocabulary_size), generator=g)
    b2 = torch.randn(vocabulary_size, generator=g)
    parameters = [C, W1, b1, W2, b2]
    for p in parameters:
        p.requires_grad = True
    return parameters


def notebook_loop(parameters, Xtr, Ytr, batch_size, steps):  # noqa: N803 (as the notebook has it)
    C, W1, b1, W2, b2 = parameters
    lossi = []
    for i in range(steps):
        ix = torch.randint(0, Xtr.shape[0], (batch_size,))
        emb = C[Xtr[ix]]
        h = torch.tanh(emb.view(-1, W1.shape[0]) @ W1 + b1)
        logits = h @ W2 + b2
        loss = F.cross_entropy(logits, Ytr[ix])
        for p in parameters:
            p.grad = None
        loss.backward()
        lr = 0.1 if i < 100000 else 0.01
        for p in parameters:
            p.data += -lr * p.grad
        lossi.append(loss.item())
    return lossi


@dataclasses.dataclass(frozen=True, kw_only=True)
class Measured:
    """One line of the table; times in microseconds a step."""

    row: str
    block_size: int
    hidden_neurons: int
    embedding_dim: int
    batch_size: int
    loop_us: float
    engine_us: float
    plain_flop: float
    factored_flop: float
    gflop_per_second: float

    @property
    def ratio(self) -> float:
        """Times that the engine is faster than the loop."""
        return self.loop_us / self.engine_us

    @property
    def ideal_us(self) -> float:
        """Time of the factored step's operations at the rate of a large product."""
        return self.factored_flop / self.gflop_per_second / 1e3

    def to_dict(self) -> dict[str, float | str]:
        derived = {
            "ratio": self.ratio,
            "ideal_us": self.ideal_us,
            "over_ideal": self.engine_us / self.ideal_us,
        }
        return dataclasses.asdict(self) | derived


def check_loop() -> None:
    """Refuse to run when the reference is not the one that the published figures were made with."""
    source = inspect.getsource(notebook_parameters) + inspect.getsource(notebook_loop)
    found = hashlib.sha256(source.encode()).hexdigest()
    if found != LOOP_SHA256:
        sys.exit(f"the notebook's loop has changed: sha256 {found}, expected {LOOP_SHA256}")


def read_log() -> dict[str, TrainConfig]:
    """Return the log's rows, then the winner's region, by name."""
    with (HERE / "tuning_log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    knobs = ("block_size", "hidden_neurons", "embedding_dim", "batch_size")
    log = {r["row"]: TrainConfig(init="normal", **{name: int(r[name]) for name in knobs}) for r in rows}
    return log | {"winner": WINNER}


def measure(row: str, config: TrainConfig, examples: Examples, vocabulary_size: int, rounds: int) -> Measured:
    """Time loop, engine and product in turn."""
    loop = prepare_loop(config, examples, vocabulary_size)
    engine = prepare_engine(config, examples, vocabulary_size)
    product = prepare_product()
    turns = [(timed, steps_for_a_turn(timed)) for timed in (loop, engine, product)]
    seconds = [[time_a_step(timed, steps) for timed, steps in turns] for _ in range(rounds)]
    loop_s, engine_s, product_s = (statistics.median(column) for column in zip(*seconds, strict=True))
    return Measured(
        row=row,
        block_size=config.block_size,
        hidden_neurons=config.hidden_neurons,
        embedding_dim=config.embedding_dim,
        batch_size=config.batch_size,
        loop_us=loop_s * 1e6,
        engine_us=engine_s * 1e6,
        plain_flop=plain_flop(config, vocabulary_size),
        factored_flop=factored_flop(config, examples, vocabulary_size),
        gflop_per_second=2 * 512**3 / product_s / 1e9,
    )


def prepare_loop(config: TrainConfig, examples: Examples, vocabulary_size: int) -> Callable[[int], object]:
    parameters = notebook_parameters(
        vocabulary_size, config.block_size, config.embedding_dim, config.hidden_neurons
    )
    contexts = torch.from_numpy(examples.contexts.astype(np.int64))
    targets = torch.from_numpy(examples.targets.astype(np.int64))
    return lambda steps: notebook_loop(parameters, contexts, targets, config.batch_size, steps)


def prepare_engine(config: TrainConfig, examples: Examples, vocabulary_size: int) -> Callable[[int], object]:
    engine, state = ENGINES[DEFAULT_ENGINE["cpu"]], TrainState.initial(config, vocabulary_size)
    return lambda steps: engine(config, examples, state, learning_rates(config, 0, steps), "cpu")


def prepare_product() -> Callable[[int], object]:
    a, b = torch.randn(512, 512), torch.randn(512, 512)
    return lambda steps: [a @ b for _ in range(steps)]


def steps_for_a_turn(timed: Callable[[int], object]) -> int:
    """Return how many steps fill a turn, after one run that compiles and warms up."""
    timed(10)
    return max(10, int(SECONDS_A_TURN / time_a_step(timed, 20)))


def time_a_step(timed: Callable[[int], object], steps: int) -> float:
    started = time.perf_counter()
    timed(steps)
    return (time.perf_counter() - started) / steps


def plain_flop(config: TrainConfig, vocabulary_size: int) -> float:
    """Return the operations of a step's matrix products: forward, and twice that backward."""
    inputs = config.block_size * config.embedding_dim
    return 6 * config.batch_size * config.hidden_neurons * (inputs + vocabulary_size)


def factored_flop(config: TrainConfig, examples: Examples, vocabulary_size: int) -> float:
    """Return the same with the first layer computed once a (position, character) of the batch.

    To its products come the additions that gather the table and sum the gradients.
    """
    drawn = minibatch_indices(stream_key(0, "batch"), 0, 100, config.batch_size, len(examples.targets))
    positions = [examples.contexts[batch, t] for batch in drawn for t in range(config.block_size)]
    pairs = sum(len(np.unique(characters)) for characters in positions) / len(drawn)
    first = 6 * pairs * config.embedding_dim + 2 * config.batch_size * config.block_size
    return config.hidden_neurons * (first + 6 * config.batch_size * vocabulary_size)


def geometric_mean_of_log(measured: list[Measured]) -> float:
    return statistics.geometric_mean(m.ratio for m in measured if m.row != "winner")


def format_table(measured: list[Measured]) -> str:
    """Return the table as text."""
    lines = ["row     block hidden emb batch   loop us  engine us  ratio  ideal us  engine/ideal"]
    lines += [
        f"{m.row:6} {m.block_size:6} {m.hidden_neurons:6} {m.embedding_dim:3} {m.batch_size:5} "
        f"{m.loop_us:9.1f} {m.engine_us:10.1f} {m.ratio:6.1f} "
        f"{m.ideal_us:9.1f} {m.engine_us / m.ideal_us:13.1f}"
        for m in measured
    ]
    rate = statistics.median(m.gflop_per_second for m in measured)
    slowest = min(measured, key=lambda m: m.ratio)
    return "\n".join(
        [
            *lines,
            f"geometric mean over the log's rows: {geometric_mean_of_log(measured):.1f} times the loop, "
            f"smallest {slowest.ratio:.1f} (row {slowest.row}); one thread each",
            f"ideal: operations of the factored step at the {rate:.0f} GFLOP/s of a 512 x 512 x 512 product",
        ]
    )


_STYLE = """<style>
text { font: 12px sans-serif; fill: #57606a }
.loop { fill: #8c959f } .engine { fill: #1f883d }
@media (prefers-color-scheme: dark) {
  text { fill: #9198a1 }
  .loop { fill: #6e7681 }
  .engine { fill: #3fb950 }
}
</style>"""


def draw_chart(measured: list[Measured]) -> str:
    """Return step times as horizontal bars, an SVG that reads in light and dark."""
    left, width, pitch, top = 190, 420, 30, 34
    scale = width / max(m.loop_us for m in measured)
    parts = []
    for n, m in enumerate(measured):
        y = top + n * pitch
        name = "winner's region" if m.row == "winner" else f"row {m.row}"
        knobs = f"{m.block_size}, {m.hidden_neurons}, {m.embedding_dim}, {m.batch_size}"
        loop, engine = m.loop_us * scale, max(1.0, m.engine_us * scale)
        parts += [
            f'<text x="{left - 8}" y="{y + 15}" text-anchor="end">{name} ({knobs})</text>',
            f'<rect class="loop" x="{left}" y="{y}" width="{loop:.1f}" height="11"/>',
            f'<text x="{left + loop + 5:.1f}" y="{y + 10}">{m.loop_us:.0f}</text>',
            f'<rect class="engine" x="{left}" y="{y + 12}" width="{engine:.1f}" height="11"/>',
            f'<text x="{left + engine + 5:.1f}" y="{y + 22}">{m.engine_us:.0f}  (1/{m.ratio:.0f})</text>',
        ]
    size = f"{left + width + 60} {top + len(measured) * pitch + 6}"
    title = "Microseconds a step on one thread: the notebook's loop (grey), sweep (green)"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" aria-label="{title}">'
    return "\n".join([head, _STYLE, f'<text x="8" y="20">{title}</text>', *parts, "</svg>"]) + "\n"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=Path, default=HERE.parents[1] / "data" / "names.txt")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each; the median counts (default 5)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of the table")
    parser.add_argument("--chart", type=Path, help="also write the step times as an SVG")
    return parser.parse_args()


def main() -> None:
    arguments = parse_arguments()
    check_loop()
    torch.set_num_threads(1)
    corpus = load_corpus(arguments.words)
    measured = []
    for row, config in read_log().items():
        examples = build_examples(corpus.train, config.block_size)
        measured.append(measure(row, config, examples, corpus.vocabulary_size, arguments.rounds))
    if arguments.chart:
        arguments.chart.write_text(draw_chart(measured))
    summary = {
        "geometric_mean": geometric_mean_of_log(measured),
        "rows": [m.to_dict() for m in measured],
    }
    sys.stdout.write((json.dumps(summary, indent=2) if arguments.json else format_table(measured)) + "\n")


if __name__ == "__main__":
    main()
