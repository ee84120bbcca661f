"""Built-in scenes: a person and a procedural object in touch, with exact truth, made from nothing but the body."""

from hoijax.data.synthetic.make import sample_folder, scene_names, synthetic_sample

__all__ = ["sample_folder", "scene_names", "synthetic_sample"]
