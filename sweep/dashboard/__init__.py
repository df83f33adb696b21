"""The Optuna dashboard, read-only, and what a study stores for it."""
