"""Evaluation tasks on reconstructed people and objects, and models of their own for them."""
