"""LightGBM by files: the parameters from a JSON file, the figures to metrics.json."""

import json
import sys
from pathlib import Path

import lightgbm
from sklearn.datasets import load_diabetes

parameters = json.loads(Path(sys.argv[1]).read_text())
X, y = load_diabetes(return_X_y=True)
train, valid = lightgbm.Dataset(X[:330], y[:330]), lightgbm.Dataset(X[330:], y[330:])

figures = {}
booster = lightgbm.train(
    {**parameters, "metric": "rmse"},
    train,
    valid_sets=[valid],
    valid_names=["eval"],
    callbacks=[lightgbm.record_evaluation(figures)],
)
Path("metrics.json").write_text(json.dumps({"eval": {"rmse": figures["eval"]["rmse"][-1]}}))
booster.save_model("model.txt")
