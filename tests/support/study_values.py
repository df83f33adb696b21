"""Hypothesis strategies for the values of a study file."""

import datetime

from hypothesis import strategies as st

from sweep.definition.registries import PRUNERS, SAMPLERS
from sweep.trainers.mlp.trainer import MLP

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 300),
    st.integers(min_value=2**62),
    st.just(10**400),
    st.floats(),
    st.floats(0, 2),
    st.text(max_size=8),
    st.sampled_from(["tpe", "gp", "grid", "listed", "none", "asha", "10m", "step", "auto", "scaled"]),
    st.just(datetime.date(2026, 1, 1)),
)


fields = st.sampled_from([*MLP.field_types(), "seed", "logged", "lr"])


ranges = st.dictionaries(
    st.sampled_from(["low", "high", "log", "step", "choices", "hgih", "when"]),
    scalars | st.lists(scalars, max_size=4) | st.dictionaries(fields, scalars, max_size=2),
    max_size=4,
)


whole = st.integers(1, 200)


good_ranges = st.one_of(
    st.builds(lambda a, b: {"low": min(a, b), "high": max(a, b)}, whole, whole),
    st.builds(
        lambda a, n, s: {"low": a, "high": a + n * s, "step": s}, whole, st.integers(0, 5), st.integers(1, 9)
    ),
    st.builds(
        lambda a, b: {"low": min(a, b), "high": max(a, b), "log": True},
        st.floats(1e-4, 0.9),
        st.floats(1e-4, 0.9),
    ),
    st.builds(lambda values: {"choices": values}, st.lists(whole, min_size=1, max_size=4, unique=True)),
    st.builds(lambda a, s: {"low": a, "high": 1, "step": s}, st.floats(0, 1), st.floats(0, 1)),
)


anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


searches = st.dictionaries(fields, ranges | good_ranges | anything, max_size=3) | st.dictionaries(
    st.sampled_from(["block_size", "batch_size", "momentum", "learning_rate", "num_steps"]),
    good_ranges,
    min_size=1,
    max_size=3,
)


studies = st.fixed_dictionaries(
    {},
    optional={
        "name": scalars,
        "goal": scalars,
        "sampler": st.sampled_from(list(SAMPLERS)) | scalars,
        "pruner": st.sampled_from(list(PRUNERS)) | scalars,
        "trials": whole | scalars,
        "replicates": st.integers(1, 5) | scalars,
        "keep": scalars,
        "timeout": scalars,
        "trial_timeout": scalars,
        "seed": scalars,
        "data": st.dictionaries(st.sampled_from(["words", "dedupe", "word"]), scalars, max_size=2) | anything,
        "fixed": st.dictionaries(fields, scalars | whole, max_size=3) | anything,
        "search": searches,
        "trial": st.lists(st.dictionaries(fields, scalars | whole, max_size=3), max_size=3) | anything,
        "log": st.dictionaries(st.just("data_sha256"), scalars) | anything,
        "typo": scalars,
    },
)


likely = st.fixed_dictionaries(
    {"search": searches},
    optional={
        "sampler": st.sampled_from(list(SAMPLERS)),
        "pruner": st.sampled_from(list(PRUNERS)),
        "trial": st.lists(st.fixed_dictionaries({"block_size": whole, "batch_size": whole}), max_size=2),
        "fixed": st.dictionaries(fields, whole, max_size=1),
        "replicates": st.integers(1, 5),
    },
)
