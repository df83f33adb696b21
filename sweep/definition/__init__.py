"""What a study asks: its file, its search space, its records and how they are ranked."""
