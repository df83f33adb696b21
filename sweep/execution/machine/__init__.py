"""What this machine has, and what cannot fit: memory and disk."""
