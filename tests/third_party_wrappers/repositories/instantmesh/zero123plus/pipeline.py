"""Stands in for the pipeline that run.py finds by its folder, from where it is started."""
