"""Person and object in one glTF file that any 3D viewer opens."""

from typing import Any

import numpy as np
import trimesh
from trimesh.exchange.gltf import export_glb

from hoijax.data.sample import ColoredMesh

# glTF's y points up and its z towards the viewer; the camera frame's y points down and its z away: half a turn about x.
TO_GLTF = np.array([1.0, -1.0, -1.0])


def scene_glb(human: ColoredMesh, obj: ColoredMesh) -> bytes:
    """The two meshes, named "human" and "object", as binary glTF with vertex colours: metres, axes turned to y up.

    glTF wants linear light in vertex colours, so sRGB colours are decoded: ((c + 0.055) / 1.055)^2.4 above 0.04045.
    """
    scene = trimesh.Scene()
    for name, mesh in (("human", human), ("object", obj)):
        rgb = np.clip(np.asarray(mesh.rgb, np.float64), 0, 1)
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        shape = trimesh.Trimesh(
            np.asarray(mesh.verts) * TO_GLTF,
            mesh.faces,
            vertex_colors=np.round(255 * linear).astype(np.uint8),
            process=False,
        )
        scene.add_geometry(shape, node_name=name, geom_name=name)
    return bytes(export_glb(scene, include_normals=True, tree_postprocessor=_matte))


def _matte(tree: dict[str, Any]) -> None:
    """One dull two-sided material for all: without any, glTF's default is metal, which viewers draw nearly black."""
    tree["materials"] = [{"pbrMetallicRoughness": {"metallicFactor": 0.0, "roughnessFactor": 0.9}, "doubleSided": True}]
    for mesh in tree["meshes"]:
        for primitive in mesh["primitives"]:
            primitive["material"] = 0
