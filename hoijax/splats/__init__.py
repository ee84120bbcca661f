"""3D Gaussians: initial values, projection, tile lists, compositing, and the dense oracle."""
