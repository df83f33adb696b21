"""List the fields of ``TrainConfig`` that each engine supports, without loading an engine."""

_FIRST_RELEASE = frozenset(
    {
        "block_size",
        "embedding_dim",
        "hidden_neurons",
        "batch_size",
        "num_steps",
        "learning_rate",
        "final_learning_rate",
        "decay_at",
        "schedule",
        "init",
        "weight_decay",
        "momentum",
        "seed",
    }
)

_ADAMW = frozenset({"optimizer", "beta1", "beta2", "epsilon"})
_SCHEDULE = frozenset({"warmup"})
_DEPTH = frozenset({"hidden_layers", "dropout"})

HONOURED = {
    "autograd": _FIRST_RELEASE | _ADAMW | _SCHEDULE | _DEPTH,
    "fused": _FIRST_RELEASE | _ADAMW | _SCHEDULE | _DEPTH,
    "population": _FIRST_RELEASE | _SCHEDULE,
}
"""Engine name -> fields that it supports.

Add a new field to an engine only once the engine uses it; until then, configurations that change the field
are refused for that engine.
"""
