"""The Blender add-on in `hoijax/annotate/blender` as the one file that Blender installs."""

import io
import os
import zipfile
from pathlib import Path

from hoijax import __version__
from hoijax.data.atomic import save_bytes

SOURCE = Path(__file__).resolve().parent / "blender"
FOLDER = "hoijax_blender"  # the name of the add-on's package inside of Blender
EPOCH = (1980, 1, 1, 0, 0, 0)  # one source, one zip: no times of the day in it


def save_addon(path: str | os.PathLike[str]) -> None:
    """Writes the add-on's zip, whole or not at all, over the one that stands there.

    Blender takes it as an extension (its manifest is made here) and as an add-on of the older kind.
    """
    files = {each.name: each.read_bytes() for each in sorted(SOURCE.glob("*.py"))}
    files["blender_manifest.toml"] = manifest().encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(f"{FOLDER}/{name}", EPOCH), data, zipfile.ZIP_DEFLATED)
    save_bytes(path, buffer.getvalue())


def manifest() -> str:
    """blender_manifest.toml, by which Blender 4.2 and newer know an extension."""
    fields = {
        "schema_version": '"1.0.0"',
        "id": '"hoijax"',
        "version": f'"{__version__}"',
        "name": '"hoijax: place objects"',
        "tagline": '"Place the object of a photograph beside its person"',
        "maintainer": '"the authors of hoijax"',
        "type": '"add-on"',
        "blender_version_min": '"4.2.0"',
        "license": '["SPDX:Apache-2.0"]',
    }
    permission = '[permissions]\nfiles = "Reads samples, writes exports beside them"\n'
    return "".join(f"{key} = {value}\n" for key, value in fields.items()) + "\n" + permission
