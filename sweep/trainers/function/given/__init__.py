"""Train with a function that is passed as an object, from a script or a notebook, rather than named."""
