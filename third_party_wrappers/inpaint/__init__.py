"""Stable Diffusion inpainting."""
