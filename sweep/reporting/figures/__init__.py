"""One module a figure: plain numbers first, then a Figure from these numbers alone."""
