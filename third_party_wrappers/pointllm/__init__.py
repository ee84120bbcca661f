"""PointLLM."""
