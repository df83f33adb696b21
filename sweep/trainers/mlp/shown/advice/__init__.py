"""Advise on studies of the MLP: baselines, new words, budgets and learning rates."""
