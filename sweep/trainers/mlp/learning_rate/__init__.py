"""The learning rate: its range test, what a curve suggests, and `auto`."""
