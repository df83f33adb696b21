"""What is advised of a study of the MLP alone: counting, new words, budgets and learning rates."""
