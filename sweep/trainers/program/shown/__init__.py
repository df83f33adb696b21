"""What only programs show: their command, and what failed ones printed. No worker loads it."""
