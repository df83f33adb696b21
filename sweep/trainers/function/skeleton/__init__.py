"""What `sweep init --function` writes: a function of the user's own, and its study."""
