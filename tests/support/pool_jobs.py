"""Jobs for a pool, and what must come back."""

import time

from sweep.execution.pools.pool import Pool, SegmentJob, SegmentOutcome
from sweep.task import Segment
from tests.support.sweep_command import DEADLINE_S
from tests.support.toy_task import TOY, ToyConfig, ToyTask

LARGE = 8_000_000
"""Bytes of real data; no pipe takes them at once."""


DATA = ToyTask(data_bytes=LARGE).load_data({"words": ""})


def job(trial: int, conduct: str = "learn", state: bytes | None = b"[300, 5]") -> SegmentJob:
    return SegmentJob(trial=trial, config=ToyConfig(conduct=conduct, seed=trial), state=state, until_step=900)


def wait_for(pool: Pool, n: int = 1) -> list[SegmentOutcome]:
    """Wait until so many jobs have ended."""
    ended: list[SegmentOutcome] = []
    end = time.monotonic() + DEADLINE_S
    while len(ended) < n and time.monotonic() < end:
        ended += pool.wait(0.1)
    return ended


def trained(trial: int) -> Segment:
    """The segment of a job as this process makes it."""
    one = job(trial)
    return TOY.train_segment(one.config, DATA, one.state, one.until_step, engine="toy", device="cpu")
