"""Annotations in two dimensions that others made: which person does what with which object, in which photograph."""
