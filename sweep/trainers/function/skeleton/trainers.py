"""Your own trainer: replace the model in `train` by yours. `sweep run study.toml` runs the example."""

import json
import random


def train(config, report):
    """Train one configuration and return the metric that study.toml names.

    config.NAME    a hyperparameter of [search] or [fixed]; also config["NAME"]
    config.seed    the seed of this trial, for all random numbers
    config.dir     the folder of this trial, for your own files
    config.device  where to train, such as "cpu" or "cuda:0"
    report(value, step)   reports the metric during training; needed for pruning
    """
    weights, speed, done = load_checkpoint(config)
    for epoch in range(done + 1, config.epochs + 1):
        # Seed: the random numbers of an epoch depend only on the trial's seed and the epoch, so that a trial
        # that is trained again, or resumed from its checkpoint, returns the same value.
        points = draw_points(config, f"{config.seed} epoch {epoch}")
        for x, y in points:
            error = weights[0] + weights[1] * x - y
            speed = [config.momentum * old + error * part for old, part in zip(speed, (1.0, x), strict=True)]
            weights = [weight - config.rate * change for weight, change in zip(weights, speed, strict=True)]
        save_checkpoint(config, weights, speed, epoch)
        # Report: the metric, and the step in the unit of `budget`. If the trial is pruned, this raises
        # sweep.Pruned, which ends the trial: do not catch it.
        report(validation_loss(config, weights), step=epoch)
    # Direction: return the metric unchanged, a loss or an accuracy; study.toml sets the direction.
    return validation_loss(config, weights)


def draw_points(config, seed, n=20):
    """Return points near the line y = 1 + 2 x, in place of your training data."""
    draw = random.Random(seed)
    xs = [draw.uniform(-1, 1) for _ in range(n)]
    return [(x, 1 + 2 * x + draw.gauss(0, config.noise)) for x in xs]


def validation_loss(config, weights):
    """Return the mean squared error on validation points, which are the same for every trial."""
    points = draw_points(config, "validation", n=200)
    errors = [weights[0] + weights[1] * x - y for x, y in points]
    return sum(error * error for error in errors) / len(errors)


def save_checkpoint(config, weights, speed, epoch):
    """Write all that is needed to resume. The folder config.checkpoint outlives the process."""
    state = {"weights": weights, "speed": speed, "epoch": epoch}
    (config.checkpoint / "state.json").write_text(json.dumps(state))


def load_checkpoint(config):
    """Return weights, momentum and finished epochs, from an earlier attempt at this trial if there is one."""
    if not config.resumed:
        return [0.0, 0.0], [0.0, 0.0], 0
    state = json.loads((config.checkpoint / "state.json").read_text())
    return state["weights"], state["speed"], state["epoch"]
