"""Amodal completion by progressive mixed context diffusion."""
