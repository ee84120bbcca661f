"""The coarse reconstruction: from a depth map, masks and meshes to the object's start pose. Host, float64."""
