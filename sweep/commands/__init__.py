"""Commands: one function each, named as on the command line. With ``cli``, the only place that prints."""
