"""A whole data set: what is to do, what is done, and who does it."""
