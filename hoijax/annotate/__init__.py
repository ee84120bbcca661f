"""Annotation tools: judge, mend, label and place what the other parts made; one server for the browser."""
