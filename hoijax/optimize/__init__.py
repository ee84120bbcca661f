"""The optimizer: start values, one step, the staged fit, and the searches of pose and along the viewing ray."""
