"""What a driver is made of: where trials come from, who proposes them, and what is known and kept of them."""
