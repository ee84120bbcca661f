"""A result in the browser, free to fly around: its Gaussians, its meshes, the photograph behind them (viser)."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
import viser
from jaxtyping import Float

from hoijax.data.read import load_sample
from hoijax.data.results import Result, load_result
from hoijax.data.sample import ColoredMesh, SampleError

SHOWN = {"Gaussians": True, "Meshes": False, "Photograph": True}
BEHIND = 1.1  # the photograph hangs at this multiple of the scene's greatest depth


class SplatView:
    """Shows one of the results at a time; a list chooses. `samples`: the sample folder of each, for its photograph."""

    def __init__(self, server: viser.ViserServer, results: Mapping[str, Path], samples: Mapping[str, Path]) -> None:
        self.server, self.results, self.samples = server, results, samples
        self.result: Result | None = None
        self.things: dict[str, list[Any]] = {}
        server.gui.configure_theme(dark_mode=False, show_logo=False, control_layout="fixed")
        server.scene.set_up_direction("-y")
        names = tuple(results)
        self.choice = server.gui.add_dropdown("Result", names, initial_value=names[0])
        self.boxes = {name: server.gui.add_checkbox(name, value) for name, value in SHOWN.items()}
        self.solid = server.gui.add_slider("Opacity at least", 0.0, 1.0, 0.01, 0.0)
        self.home = server.gui.add_button("Look as the camera does")
        self.about = server.gui.add_markdown("")
        self.choice.on_update(lambda _: self.show(str(self.choice.value)))
        for box in self.boxes.values():
            box.on_update(lambda _: self._follow())
        self.solid.on_update(lambda _: self._splats())
        self.home.on_click(lambda event: self._look([event.client] if event.client else []))
        server.on_client_connect(lambda client: self._look([client]))
        self.show(names[0])

    def show(self, name: str) -> None:
        """Puts this result up. One that cannot be read is said so, in the panel."""
        self._clear()
        try:
            self.result = load_result(self.results[name])
            self.things["Meshes"] = [self._mesh("human", self.result.human), self._mesh("object", self.result.object)]
            self.things["Photograph"] = self._photograph(name)
            self.about.content = told(self.result)
        except SampleError as error:
            self._clear()
            self.result = None
            self.about.content = f"**Cannot be shown.** {error}"
            return
        self._splats()
        self._look(list(self.server.get_clients().values()))

    def _clear(self) -> None:
        for thing in (thing for things in self.things.values() for thing in things):
            thing.remove()
        self.things = {}

    def _mesh(self, name: str, mesh: ColoredMesh) -> Any:
        colors = np.round(np.clip(mesh.rgb, 0, 1) * 255).astype(np.uint8)
        shape = trimesh.Trimesh(self._in_camera(mesh.verts), mesh.faces, vertex_colors=colors, process=False)
        return self.server.scene.add_mesh_trimesh(f"/{name}", shape, visible=self.boxes["Meshes"].value)

    def _photograph(self, name: str) -> list[Any]:
        if name not in self.samples or self.result is None:
            return []
        image = load_sample(self.samples[name]).image
        size = np.array([image.shape[1], image.shape[0]], np.float64)
        focal, center = (np.asarray(value, np.float64) for value in self.result.camera)
        depth = BEHIND * max(float(self._in_camera(mesh.verts)[:, 2].max()) for mesh in self._meshes())
        middle, extent = (size / 2 - center) / focal * depth, size / focal * depth
        backdrop = self.server.scene.add_image(
            "/photograph",
            image,
            render_width=float(extent[0]),
            render_height=float(extent[1]),
            format="jpeg",
            position=(float(middle[0]), float(middle[1]), depth),
            visible=self.boxes["Photograph"].value,
        )
        return [backdrop]

    def _meshes(self) -> tuple[ColoredMesh, ColoredMesh]:
        assert self.result is not None
        return self.result.human, self.result.object

    def _splats(self) -> None:
        """The Gaussians at least as opaque as the slider says."""
        for thing in self.things.pop("Gaussians", ()):
            thing.remove()
        if self.result is None:
            return
        means, covs, opacity, rgb = (np.asarray(field, np.float32) for field in self.result.gaussians)
        kept = opacity >= self.solid.value
        splats = self.server.scene.add_gaussian_splats(
            "/gaussians",
            centers=means[kept],
            covariances=covs[kept],
            rgbs=np.clip(rgb[kept], 0, 1),
            opacities=opacity[kept, None],
            visible=self.boxes["Gaussians"].value,
        )
        self.things["Gaussians"] = [splats]

    def _follow(self) -> None:
        for name, things in self.things.items():
            for thing in things:
                thing.visible = self.boxes[name].value

    def _look(self, clients: Sequence[viser.ClientHandle]) -> None:
        """Puts these browsers behind the photograph's camera."""
        if self.result is None:
            return
        depth = float(self._in_camera(self.result.human.verts)[:, 2].mean())
        focal, center = (np.asarray(value, np.float64) for value in self.result.camera)
        for client in clients:
            client.camera.fov = float(2 * np.arctan(center[1] / focal[1]))
            client.camera.up_direction = (0.0, -1.0, 0.0)
            client.camera.position = (0.0, 0.0, 0.0)
            client.camera.look_at = (0.0, 0.0, depth)

    def _in_camera(self, verts: Float[np.ndarray, "v 3"]) -> Float[np.ndarray, "v 3"]:
        assert self.result is not None
        return np.asarray(verts, np.float64) + np.asarray(self.result.pose.translation, np.float64)


def told(result: Result) -> str:
    """A few words about a result, as Markdown."""
    touching = ", ".join(result.contact_parts) or "nothing"
    count = len(np.asarray(result.gaussians.opacity))
    return f"**{result.name}**\n\n{count:,} Gaussians. Touching: {touching}. Scale {result.scale:.3f}."
