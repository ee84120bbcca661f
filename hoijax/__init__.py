"""hoijax: a person and the object they interact with, in 3D, from one photograph, in JAX."""

__version__ = "0.1.0"
