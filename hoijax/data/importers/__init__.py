"""Samples from other data sets: BEHAVE, InterCap, CONTHO's annotations, BOP (docs/coordinates.md)."""
