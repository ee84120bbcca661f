"""Statistics of a data set: what is in it, how large, where it touches, how well it fits its photographs."""
