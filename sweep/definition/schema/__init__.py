"""What a study file may say, in a form that editors read."""
