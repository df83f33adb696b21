"""What reports of guests show in place of what sweep knows of its own studies. No worker loads it."""
