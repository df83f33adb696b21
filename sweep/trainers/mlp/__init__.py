"""Train the character-level MLP."""
