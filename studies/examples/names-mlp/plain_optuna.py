"""The same search in plain Optuna: the same model, the same nine hyperparameters, the same pruning."""

from types import SimpleNamespace

import optuna
from trainers import train  # beside this file


class Config(SimpleNamespace):
    """Values by attribute and by name."""

    def __getitem__(self, name):
        return getattr(self, name)


def objective(trial):
    """Suggest the hyperparameters of a trial and train it."""
    layers = trial.suggest_categorical("layers", [1, 2, 3])
    config = Config(
        seed=trial.number,
        steps=1000,
        block_size=trial.suggest_int("block_size", 2, 6),
        embedding_dim=trial.suggest_int("embedding_dim", 2, 24),
        layers=layers,
        hidden_1=trial.suggest_int("hidden_1", 16, 128, log=True),
        hidden_2=trial.suggest_int("hidden_2", 16, 128, log=True) if layers >= 2 else None,
        hidden_3=trial.suggest_int("hidden_3", 16, 128, log=True) if layers == 3 else None,
        learning_rate=trial.suggest_float("learning_rate", 1e-3, 3e-2, log=True),
        batch_size=trial.suggest_categorical("batch_size", [32, 64, 128]),
        weight_decay=trial.suggest_float("weight_decay", 1e-6, 1e-1, log=True),
    )

    def report(value, step):
        trial.report(value, step)
        if trial.should_prune():
            raise optuna.TrialPruned

    return train(config, report)


study = optuna.create_study(
    study_name="names-mlp",
    storage="sqlite:///names-mlp.db",
    load_if_exists=True,
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.SuccessiveHalvingPruner(min_resource=100),
)
study.optimize(objective, n_trials=12)
print(study.best_trial.number, study.best_value, study.best_params)
