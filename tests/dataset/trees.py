"""Data trees of tiny samples, a config that is quick to compile and to run, and the program as a process."""
