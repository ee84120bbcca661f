"""Stands in for the package: the parts of its interface that a conversation about a cloud needs."""
