"""The optimizer: start values, one step, the staged fit, and the search along the viewing ray."""
