"""An MLP of one to three hidden layers that predicts the next letter of a name, in plain PyTorch."""

import random

import torch
from torch import nn
from torch.nn.functional import cross_entropy


def letters(block_size):
    """Return contexts and the letters that follow them: of the train names, then of the dev names."""
    names = open("data/names.txt", encoding="utf-8").read().split()
    number = {letter: i for i, letter in enumerate([".", *sorted(set("".join(names)))])}
    random.Random(42).shuffle(names)
    parts = []
    for part in names[: len(names) * 8 // 10], names[len(names) * 8 // 10 : len(names) * 9 // 10]:
        contexts, targets = [], []
        for name in part:
            context = [0] * block_size
            for letter in name + ".":
                contexts.append(context)
                targets.append(number[letter])
                context = [*context[1:], number[letter]]
        parts += [torch.tensor(contexts), torch.tensor(targets)]
    return *parts, len(number)


def train(config, report):
    """Train for ``config.steps`` steps and return the loss on the dev names."""
    torch.manual_seed(config.seed)
    X, y, X_dev, y_dev, n_letters = letters(config.block_size)
    width = config.block_size * config.embedding_dim
    parts = [nn.Embedding(n_letters, config.embedding_dim), nn.Flatten()]
    for layer in range(1, config.layers + 1):
        parts += [nn.Linear(width, config[f"hidden_{layer}"]), nn.Tanh()]
        width = config[f"hidden_{layer}"]
    model = nn.Sequential(*parts, nn.Linear(width, n_letters))
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    for step in range(1, config.steps + 1):
        batch = torch.randint(len(X), (config.batch_size,))
        optimizer.zero_grad()
        cross_entropy(model(X[batch]), y[batch]).backward()
        optimizer.step()
        if step % 100 == 0:
            with torch.no_grad():
                dev_loss = cross_entropy(model(X_dev), y_dev).item()
            report(dev_loss, step)
    return dev_loss
