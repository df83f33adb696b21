"""The real trainer, but for what is to go wrong in it: losses that are no numbers, faults, deaths, a hang."""

import dataclasses
import importlib
import math
import os
import time
from typing import Any

from sweep.task import Segment
from sweep.trainers.mlp.config import TrainConfig
from sweep.trainers.mlp.trainer import MlpTask
from sweep.trainers.mlp.words.corpus import Corpus

LOSSES = {"nan": math.nan, "inf": math.inf, "minus-inf": -math.inf}
"""Conduct -> what the dev loss comes out as."""

HOSTILE = "<script>pwned()</script>\x1b[31m\u2028=HYPERLINK(1)\x00"


@dataclasses.dataclass(frozen=True)
class FaultyMlp(MlpTask):
    """Trains as ever, except configurations with certain numbers of neurons."""

    conducts: dict[int, tuple[str, int]]
    """Hidden neurons -> what happens, and at which rung in per cent."""

    def train_segment(
        self, config: TrainConfig, data: Corpus, state: bytes | None, until_step: int, **place: Any
    ) -> Segment:
        conduct, percent = self.conducts.get(config.hidden_neurons, ("", 0))
        if config.num_steps > 1 and until_step * 100 == percent * config.num_steps:
            _misbehave(conduct)
        segment = super().train_segment(config, data, state, until_step, **place)
        if conduct in LOSSES and until_step * 100 == percent * config.num_steps:
            return dataclasses.replace(segment, dev_loss=LOSSES[conduct])
        return segment


def _misbehave(conduct: str) -> None:
    if conduct == "memory":
        raise MemoryError
    if conduct == "cuda-memory":
        import torch

        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    if conduct == "hostile":
        raise ValueError(HOSTILE)
    if conduct == "die":
        os._exit(9)
    if conduct == "hang":
        time.sleep(600)


def use(conducts: dict[int, tuple[str, int]]) -> None:
    """Let the command that follows in this process train so."""
    module = importlib.import_module("sweep.trainers.mlp.trainer")
    module.MLP = FaultyMlp(conducts)  # type: ignore[attr-defined]
