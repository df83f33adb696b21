"""sweep: an honest hyperparameter sweep of a character-level MLP."""

__version__ = "0.1.0"
