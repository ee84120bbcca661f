"""InstantMesh."""
