"""A Hydra application: its configuration in conf/, its figures by logging."""

import logging

import hydra
from omegaconf import DictConfig
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

log = logging.getLogger(__name__)


@hydra.main(version_base=None, config_path="conf", config_name="config")
def main(config: DictConfig) -> None:
    """Train a linear classifier and log its loss after each epoch."""
    X, y = load_breast_cancer(return_X_y=True)
    scale = StandardScaler().fit(X[:400])
    X_train, y_train, X_val, y_val = scale.transform(X[:400]), y[:400], scale.transform(X[400:]), y[400:]
    model = SGDClassifier(
        "log_loss", learning_rate="constant", random_state=config.seed, **config.model, **config.optimizer
    )
    for epoch in range(1, config.epochs + 1):
        model.partial_fit(X_train, y_train, classes=[0, 1])
        log.info("epoch=%d val_log_loss=%.5f", epoch, log_loss(y_val, model.predict_proba(X_val)))


if __name__ == "__main__":
    main()
