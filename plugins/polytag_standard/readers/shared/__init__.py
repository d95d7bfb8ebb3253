"""Functions that several readers share."""
