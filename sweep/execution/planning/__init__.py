"""Plans of programs: what is known of them, and what trying them out shows."""
