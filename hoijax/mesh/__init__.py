"""Triangle meshes: normals, nearest neighbours, signed distance, depth buffer, silhouette."""
