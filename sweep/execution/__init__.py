"""How trials are trained: the driver's loop and what surrounds it."""
