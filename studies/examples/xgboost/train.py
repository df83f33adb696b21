"""XGBoost with its own printed lines: [12]	valid-rmse:57.31."""

import argparse

import xgboost
from sklearn.datasets import load_diabetes

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int, default=40)
parser.add_argument("--eta", type=float, default=0.3)
parser.add_argument("--max_depth", type=int, default=6)
parser.add_argument("--subsample", type=float, default=1.0)
parser.add_argument("--seed", type=int, default=0)
args = vars(parser.parse_args())

X, y = load_diabetes(return_X_y=True)
train, valid = xgboost.DMatrix(X[:330], y[:330]), xgboost.DMatrix(X[330:], y[330:])
rounds = args.pop("rounds")
xgboost.train({**args, "nthread": 1}, train, rounds, evals=[(valid, "valid")])
