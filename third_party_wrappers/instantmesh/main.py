"""Run by InstantMesh's own python: the repository's run.py on pictures whose background is transparent.

run.py loads two models, which takes longer than an image, but takes a folder of images: a few jobs go into one run of
it. It ends at the first image that it cannot do, so those of a run that gave no mesh are tried once more alone.
"""

import json
import re
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

CONFIG = "instant-mesh-large"
TOGETHER = 8  # images in one run of run.py
FILLED = 0.85  # of the square picture's side, as run.py frames an object whose background it removes itself


def load(settings):
    scratch = tempfile.TemporaryDirectory(prefix="instantmesh-")
    config = configured(settings.repository, settings.checkpoint, Path(scratch.name))
    meshes = {}  # by job's folder: those that a run has left; None where it has left none
    waiting = list(settings.jobs)

    def work(job):
        assert scratch  # kept for as long as there is work
        if job.out not in meshes:
            meshes.update(together(settings.repository, config, waiting[:TOGETHER]))
        waiting.remove(job)
        mesh = meshes.pop(job.out)
        if mesh is None:
            folder = Path(tempfile.mkdtemp(dir=scratch.name))
            framed(job.inputs["image"]).save(folder / "object.png")
            end, found = reconstruct(settings.repository, config, folder, job.options)
            mesh = found.get("object")
            if mesh is None:
                raise RuntimeError(f"run.py wrote no mesh and ended with {end}")
        (job.out / "mesh.obj").write_bytes(mesh)

    return work


def together(root, config, jobs):
    """Meshes of the first job and of those after it that have the same options, by folder; None where there is none."""
    jobs = [job for job in jobs if job.options == jobs[0].options]
    with tempfile.TemporaryDirectory(prefix="instantmesh-") as scratch:
        for number, job in enumerate(jobs):
            with suppress(OSError, ValueError):  # its own turn will tell
                framed(job.inputs["image"]).save(Path(scratch, f"{number}.png"))
        ready = len(list(Path(scratch).iterdir())) > 1
        found = reconstruct(root, config, Path(scratch), jobs[0].options)[1] if ready else {}
        return {job.out: found.get(str(number)) for number, job in enumerate(jobs)}


def reconstruct(root, config, folder, options):
    """How run.py ended, and the content of the meshes that it wrote for a folder of pictures, by their names."""
    with tempfile.TemporaryDirectory(prefix="instantmesh-") as out:
        command = [sys.executable, "run.py", str(config), str(folder), "--output_path", out, "--no_rembg"]
        command += ["--diffusion_steps", str(options["steps"]), "--seed", str(options["seed"])]
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        last = "nothing said"
        with subprocess.Popen(command, cwd=str(root), universal_newlines=True, errors="replace", **pipes) as process:
            for line in process.stdout:
                print(line, end="", flush=True)
                last = line.strip() or last
        return f"exit code {process.returncode}: {last[-300:]}", {
            mesh.stem: mesh.read_bytes() for mesh in Path(out, CONFIG, "meshes").glob("*.obj")
        }


def framed(path):
    """The opaque part of a picture in the middle of a transparent square. Raises ValueError when there is no such."""
    from PIL import Image
    from serve import photo

    picture = photo(path, "RGBA")
    alpha = picture.getchannel("A")
    box = alpha.point(lambda value: 255 * (value > 127)).getbbox()
    if box is None or alpha.getextrema()[0] > 127:
        raise ValueError("the picture is {} everywhere".format("opaque" if box else "transparent"))
    thing = picture.crop(box)
    side = max(round(max(thing.size) / FILLED), 1)
    square = Image.new("RGBA", (side, side), (0, 0, 0, 0))
    square.paste(thing, ((side - thing.width) // 2, (side - thing.height) // 2))
    return square


def configured(root, checkpoint, scratch):
    """The repository's configuration; with a checkpoint folder, a copy that reads its files there."""
    given = root / "configs" / (CONFIG + ".yaml")
    if checkpoint is None:
        return given
    copy = scratch / given.name
    text = given.read_text(encoding="utf-8")
    # a JSON text is a YAML one too, whatever is in the path
    text = re.sub(r"ckpts/(\S+)", lambda found: json.dumps(str(checkpoint / found.group(1))), text)
    copy.write_text(text, encoding="utf-8")
    return copy


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)
