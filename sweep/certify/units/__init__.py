"""What other held-out units would change, such as other words."""
