"""An ordinary training script: argparse in, one printed line per epoch out. It knows nothing of sweep."""

import argparse

import torch
from sklearn.datasets import load_digits
from torch import nn

parser = argparse.ArgumentParser()
parser.add_argument("--epochs", type=int, default=10)
parser.add_argument("--lr", type=float, default=1e-2)
parser.add_argument("--hidden-dim", type=int, default=64)
parser.add_argument("--use-bn", action="store_true")
parser.add_argument("--no-bn", dest="use_bn", action="store_false")
parser.add_argument("--seed", type=int, default=0)
args = parser.parse_args()

torch.manual_seed(args.seed)
images, digits = load_digits(return_X_y=True)
X, y = torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(digits)
X_train, y_train, X_val, y_val = X[:1200], y[:1200], X[1200:], y[1200:]

model = nn.Sequential(
    nn.Linear(64, args.hidden_dim),
    nn.BatchNorm1d(args.hidden_dim) if args.use_bn else nn.Identity(),
    nn.ReLU(),
    nn.Linear(args.hidden_dim, 10),
)
optimizer = torch.optim.Adam(model.parameters(), lr=args.lr)
for epoch in range(1, args.epochs + 1):
    model.train()
    for batch in torch.randperm(len(X_train)).split(64):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(X_train[batch]), y_train[batch]).backward()
        optimizer.step()
    model.eval()
    with torch.no_grad():
        logits = model(X_val)
    loss = nn.functional.cross_entropy(logits, y_val).item()
    accuracy = (logits.argmax(1) == y_val).float().mean().item()
    print(f"Epoch {epoch}/{args.epochs} - val_loss: {loss:.4f} - val_acc: {accuracy:.4f}")
