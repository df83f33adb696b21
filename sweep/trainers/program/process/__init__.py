"""Run the process of a program: GPUs, environment, output, and its end."""
