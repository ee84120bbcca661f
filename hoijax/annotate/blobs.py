"""Pictures and meshes for the browser. Each has a random name and lives as long as the page that asked for it."""

import secrets
from collections import defaultdict

import cv2
import numpy as np
from fastapi import Response
from jaxtyping import Int, UInt8
from nicegui import app

from hoijax.data.sample import ColoredMesh

ROUTE = "/blob"


class Blobs:
    """Bytes under random names, by the page that owns them. No request ever names a file."""

    def __init__(self) -> None:
        self._content: dict[str, tuple[bytes, str]] = {}
        self._owned: defaultdict[str, list[str]] = defaultdict(list)

    def add(self, owner: str, content: bytes, media_type: str) -> str:
        """Keeps the bytes for this page: the address under which its browser finds them."""
        name = secrets.token_urlsafe(18)
        self._content[name] = content, media_type
        self._owned[owner].append(name)
        return f"{ROUTE}/{name}"

    def drop(self, owner: str) -> None:
        """Forgets everything of this page."""
        for name in self._owned.pop(owner, ()):
            self._content.pop(name, None)

    def response(self, name: str) -> Response:
        """The bytes, or a 404."""
        if name not in self._content:
            return Response("no such picture: the page that it belonged to is closed", 404)
        content, media_type = self._content[name]
        return Response(content, media_type=media_type, headers={"Cache-Control": "private, max-age=3600"})


def serve_blobs(blobs: Blobs) -> None:
    """Adds the route."""
    app.add_api_route(f"{ROUTE}/{{name}}", blobs.response, methods=["GET"])


def jpeg(picture: UInt8[np.ndarray, "h w 3"], quality: int = 90) -> bytes:
    """An RGB picture as JPEG."""
    _, data = cv2.imencode(".jpg", np.ascontiguousarray(picture[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()


def png(picture: UInt8[np.ndarray, "h w c"]) -> bytes:
    """An RGB, RGBA or grey picture as PNG."""
    order = {1: [0], 3: [2, 1, 0], 4: [2, 1, 0, 3]}[picture.shape[2]]
    return cv2.imencode(".png", np.ascontiguousarray(picture[..., order]))[1].tobytes()


def packed_mesh(mesh: ColoredMesh, labels: Int[np.ndarray, " f"] | None = None) -> bytes:
    """What mesh_view.js reads: counts v, f (uint32); verts float32; faces uint32; a label (uint8) a face; rgb uint8."""
    labels = np.zeros(len(mesh.faces), np.uint8) if labels is None else labels
    return b"".join(
        (
            np.array([len(mesh.verts), len(mesh.faces)], "<u4").tobytes(),
            np.asarray(mesh.verts, "<f4").tobytes(),
            np.asarray(mesh.faces, "<u4").tobytes(),
            np.asarray(labels, np.uint8).tobytes(),
            np.round(np.clip(mesh.rgb, 0, 1) * 255).astype(np.uint8).tobytes(),
        )
    )
