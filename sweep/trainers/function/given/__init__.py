"""A function that is given as an object, from a script or a notebook, instead of by its module and name."""
