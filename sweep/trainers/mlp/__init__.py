"""The character-level MLP."""
