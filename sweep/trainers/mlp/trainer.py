"""Implement ``Task`` for the MLP, through which all other packages use it.

Importing this module is cheap: NumPy is loaded with the data, torch for training.
"""

import dataclasses
import math
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sweep.errors import ConfigError
from sweep.task import Fact, Finding, JobQueue, Segment
from sweep.trainers.mlp.config import DEPENDENTS, FACTS, FIELD_TYPES, METRIC, TrainConfig, later_defaults
from sweep.trainers.mlp.honoured import HONOURED
from sweep.trainers.mlp.words import words_file
from sweep.trainers.mlp.words.spelling import normalized
from sweep.trainers.mlp.work import multiply_adds
from sweep.values import Params, Toml

if TYPE_CHECKING:
    import numpy as np

    from sweep.trainers.mlp.words.corpus import Corpus

TRAINER_VERSION = 1
"""Increase only when reference results change: results of different versions are not comparable."""


class MlpTask:
    """Character-level MLP on a list of words; see ``sweep.task.Task``."""

    name = "mlp"
    version = TRAINER_VERSION
    seed_bound = 3 * 2**32
    """Seeds are below 2**32 in searches and above in confirmations, as in the first release."""
    shortest_with_rungs = 2_000
    metric = METRIC
    shown: tuple[str, ...] = ("block_size", "hidden_neurons", "embedding_dim", "num_steps", "batch_size")
    unit = "word"
    split_rule = words_file.SPLIT_RULE
    auto_fields: tuple[str, ...] = ("learning_rate",)
    later_fields: Params = later_defaults(TrainConfig)
    dependents: Mapping[str, Collection[str]] = DEPENDENTS
    described_facts: Mapping[str, Fact] = FACTS
    note_kinds = "sweep.trainers.mlp.shown.note_kinds:KINDS"
    contributions = "sweep.trainers.mlp.shown.contributions:CONTRIBUTIONS"

    def make_config(self, values: Params) -> TrainConfig:
        """Build a ``TrainConfig``."""
        return TrainConfig.from_dict(values)

    def field_types(self) -> dict[str, type]:
        """Return all fields except ``seed``, which the driver sets for each trial."""
        return {name: kind for name, kind in FIELD_TYPES.items() if name != "seed"}

    def check_range(self, name: str, low: float, high: float) -> None:
        """Refuse a range of ``decay_at`` on both sides of 1, because it changes from a fraction to a step."""
        if name == "decay_at" and low < 1 <= high:
            raise ConfigError(
                f"decay_at from {low:g} to {high:g} mixes fractions of num_steps (below 1) with steps "
                "(from 1); keep the range on one side of 1, or use choices"
            )

    def check_data_section(self, section: Mapping[str, Toml]) -> dict[str, Toml]:
        """Check ``words`` and ``dedupe``; see ``words_file``."""
        return words_file.check_section(section)

    def load_data(self, section: Mapping[str, Toml]) -> "Corpus":
        """Read the words file into vocabulary, train and dev parts."""
        from sweep.trainers.mlp.words.corpus import load_corpus

        checked = words_file.check_section(section)
        return load_corpus(checked["words"], dedupe=checked["dedupe"])

    def data_files(self, section: Mapping[str, Toml]) -> dict[str, str]:
        """Return the words file."""
        return {"words": words_file.check_section(section)["words"]}

    def data_sha256(self, section: Mapping[str, Toml]) -> str:
        """Return the current hash of the words file, without parsing it."""
        return words_file.words_sha256(words_file.check_section(section)["words"])

    def load_copy(self, section: Mapping[str, Toml], sha256: str) -> "Corpus":
        """Read the words file; other line ends or another byte order mark do not change the list."""
        data, source = self.load_data(section), words_file.check_section(section)["words"]
        is_copy = data.sha256 != sha256 and sha256 in words_file.usual_hashes(source)
        return dataclasses.replace(data, sha256=sha256) if is_copy else data

    def resolve_device(self, name: str) -> str:
        """Return the device that a name selects."""
        from sweep.trainers.mlp.engines import devices

        return devices.resolve_device(name)

    def default_engine(self, device: str) -> str:
        """Return the engine of ``sweep.trainers.mlp.engines`` that is the default on ``device``."""
        from sweep.trainers.mlp.engines import devices

        return devices.default_engine(device)

    def check_engine(self, engine: str, device: str) -> None:
        """Refuse an engine that does not exist or does not run on the device."""
        from sweep.trainers.mlp.engines import check_engine

        check_engine(engine, device)

    def honoured(self, engine: str) -> Collection[str]:
        """Return the fields of ``TrainConfig`` that an engine supports; none for an unknown engine."""
        return HONOURED.get(engine, ())

    def mend(self, device: str) -> str:
        """Remove damaged files of the compiled engine; a GPU's engine is not kept on disk."""
        from sweep.trainers.mlp.compiled import mend_compiled

        return mend_compiled() if device == "cpu" else ""

    def examine(self) -> Iterator[Finding]:
        """Check the compiled engine."""
        from sweep.trainers.mlp.compiled import examine_compiled

        state = examine_compiled()
        where = f"{state.folder}: " if state.folder else ""
        text = f"{where}{state.fault or 'writable'}"
        yield Finding(subject="compiled code", text=text, is_good=not state.fault)

    def try_out(self, engine: str, device: str) -> None:
        """Train one step on a few words."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "words.txt")
            path.write_text("anna\nbob\ncara\ndan\neva\nfinn\ngina\nhugo\nida\njan\nkim\nlea")
            data = self.load_data({"words": str(path)})
        self.prepare_worker(data, engine=engine, device=device)

    def prepare_worker(self, data: "Corpus", *, engine: str, device: str) -> None:
        """Set torch to one thread, on which results depend, and train one step, which compiles the engine."""
        import torch

        torch.set_num_threads(1)
        self.train_segment(TrainConfig(num_steps=1), data, None, 1, engine=engine, device=device)

    def train_segment(
        self,
        config: TrainConfig,
        data: "Corpus",
        state: bytes | None,
        until_step: int,
        *,
        engine: str,
        device: str,
        averaged: bool = False,
    ) -> Segment:
        """Run ``training.train_segment``, with states as safetensors bytes."""
        from sweep.trainers.mlp import training
        from sweep.trainers.mlp.state import TrainState

        start = TrainState.from_bytes(state, config, data.vocabulary_size) if state is not None else None
        result = training.train_segment(
            config, data, start, until_step, engine=engine, device=device, averaged=averaged
        )
        return result.to_segment()

    def list_devices(self, name: str) -> tuple[str, ...]:
        """Return all devices that a name selects."""
        from sweep.trainers.mlp.engines import devices

        return devices.list_devices(name)

    def places(self, engine: str, device: str) -> int:
        """Return ``GPU_PLACES`` if the engine trains batches on a GPU."""
        if device == "cpu":
            return 1
        from sweep.trainers.mlp.engines import BATCH_ENGINES, GPU_PLACES

        return GPU_PLACES if engine in BATCH_ENGINES else 1

    def train_segments(
        self, data: "Corpus", jobs: JobQueue, *, engine: str, device: str
    ) -> Iterator[tuple[int, Segment | Exception]]:
        """Run ``batching.Batching``."""
        from sweep.trainers.mlp.batching import Batching

        return Batching(self, data, jobs, engine=engine, device=device).run()

    def find_auto(
        self, config: TrainConfig, data: "Corpus", names: Sequence[str], *, engine: str, device: str
    ) -> dict[str, float]:
        """Find the learning rate by a range test."""
        from sweep.trainers.mlp.learning_rate.auto import auto_learning_rate

        assert tuple(names) == self.auto_fields, "the study file was checked"
        return {"learning_rate": auto_learning_rate(config, data, engine=engine, device=device)}

    def check_weights(self, state: bytes) -> None:
        """Refuse a state whose parameters are not finite, which may occur in training but not in a model."""
        from sweep.trainers.mlp.state import check_weights

        check_weights(state)

    def units(self, data: "Corpus", part: str) -> list[str]:
        """Return the words of train or dev as text, in the order of the split."""
        from sweep.trainers.mlp.words.corpus import decode_words

        return decode_words({"train": data.train, "dev": data.dev}[part], data.vocabulary)

    def resplit(self, data: "Corpus", number: int) -> "Corpus":
        """Return ``corpus.resplit_corpus``."""
        from sweep.trainers.mlp.words.corpus import resplit_corpus

        return resplit_corpus(data, number)

    def load_test_units(self, section: Mapping[str, Toml]) -> list[str]:
        """Read the test words."""
        checked = words_file.check_section(section)
        return words_file.load_test_words(checked["words"], dedupe=checked["dedupe"])

    def same_source(self, section: Mapping[str, Toml]) -> list[Mapping[str, Toml]]:
        """Return the words file with each value of ``dedupe``."""
        return [{**section, "dedupe": dedupe} for dedupe in words_file.DEDUPES]

    def unit_key(self, unit: str) -> str:
        """Return ``spelling.normalized``."""
        return normalized(unit)

    def unit_losses(
        self, config: TrainConfig, data: "Corpus", state: bytes, units: Sequence[str]
    ) -> "np.ndarray":
        """Return each word's summed negative log-likelihood in nats, including its end mark, shape (W,)."""
        from sweep.trainers.mlp.evaluation import word_losses
        from sweep.trainers.mlp.state import read_weights
        from sweep.trainers.mlp.words.corpus import encode_words

        parameters = read_weights(state, config, data.vocabulary_size)
        return word_losses(parameters, encode_words(units, data.vocabulary), config.block_size)

    def ensemble_losses(
        self, configs: Sequence[TrainConfig], data: "Corpus", states: Sequence[bytes], units: Sequence[str]
    ) -> "np.ndarray":
        """Return each word's loss under the mean of the models' probabilities, its end included, nats."""
        from sweep.trainers.mlp.evaluation import ensemble_word_losses
        from sweep.trainers.mlp.state import read_weights
        from sweep.trainers.mlp.words.corpus import encode_words

        pairs = zip(configs, states, strict=True)
        models = [read_weights(state, config, data.vocabulary_size) for config, state in pairs]
        return ensemble_word_losses(models, encode_words(units, data.vocabulary))

    def unit_sizes(self, units: Sequence[str]) -> "np.ndarray":
        """Return the length of each word, including its end mark, shape (W,)."""
        import numpy as np

        return np.array([len(word) + 1 for word in units])

    def units_loss(self, config: TrainConfig, data: "Corpus", state: bytes, units: Sequence[str]) -> float:
        """Return the exact loss over any words of the same alphabet, nats per character, on the CPU."""
        from sweep.trainers.mlp.evaluation import split_loss
        from sweep.trainers.mlp.state import read_weights
        from sweep.trainers.mlp.words.corpus import encode_words
        from sweep.trainers.mlp.words.examples import build_examples, merge_examples

        parameters = read_weights(state, config, data.vocabulary_size)
        examples = build_examples(encode_words(units, data.vocabulary), config.block_size)
        return split_loss(parameters, merge_examples(examples))

    def facts(self, config: TrainConfig, data: "Corpus") -> dict[str, int]:
        """Count the trainable parameters, and the examples drawn over all steps."""
        return {
            "n_params": config.n_params(data.vocabulary_size),
            "examples_seen": config.num_steps * config.batch_size,
        }

    def work(self, config: TrainConfig, data: "Corpus") -> float:
        """Return ``work.multiply_adds``."""
        return multiply_adds(config, data.vocabulary_size)

    def memory(self, config: TrainConfig, data: "Corpus", *, device: str) -> int:
        """Return ``memory.worker_bytes``."""
        from sweep.trainers.mlp.memory import worker_bytes

        return worker_bytes(config, data, device=device)

    def baselines(self, data: "Corpus") -> dict[str, float]:
        """Return ``baselines.baselines``."""
        from sweep.trainers.mlp.baselines import baselines

        return baselines(data)

    def loss_ceiling(self, data: "Corpus") -> float:
        """Return ln V, the loss of the uniform distribution over V symbols."""
        return math.log(data.vocabulary_size)


MLP = MlpTask()
