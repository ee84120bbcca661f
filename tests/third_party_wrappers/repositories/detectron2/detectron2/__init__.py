"""Stands in for the package: the parts of its interface that a predictor needs."""

__version__ = "0.6"
