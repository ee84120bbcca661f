"""Run by OSX's own python: SMPL-X parameters, camera and posed mesh of the person in the box.

The repository's demo draws its result and saves no parameters, so this imports the model's code and writes them.
"""

import atexit
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

# Keys of the Open3DHOI layout, and what OSX calls them.
NAMES = {
    "root_pose": "smplx_root_pose",
    "body_pose": "smplx_body_pose",
    "jaw_pose": "smplx_jaw_pose",
    "lhand_pose": "smplx_lhand_pose",
    "rhand_pose": "smplx_rhand_pose",
    "shape": "smplx_shape",
    "expr": "smplx_expr",
}


def load(settings):
    from serve import device, photo

    where = device(settings.device)
    cfg = configured(settings, where)
    from common.base import Demoer
    from common.utils.human_models import smpl_x
    from common.utils.preprocessing import generate_patch_image, process_bbox

    demoer = Demoer()
    demoer._make_model()
    demoer.model.eval()

    def work(job):
        import numpy as np

        picture = np.asarray(photo(job.inputs["image"]), np.float32)
        height, width = picture.shape[:2]
        x0, y0, x1, y1 = json.loads(job.inputs["boxes"].read_text(encoding="utf-8"))["human"]
        box = process_bbox(np.asarray([x0, y0, x1 - x0, y1 - y0], np.float32), width, height)
        if box is None:
            raise ValueError(f"the box {[x0, y0, x1, y1]} has no area inside of the {width}x{height} image")
        patch = generate_patch_image(picture, box, 1.0, 0.0, False, cfg.input_img_shape)[0]
        save(job.out, estimate(demoer.model, patch, where), camera(cfg, box), smpl_x.face)

    return work


def configured(settings, where):
    """The repository's configuration, made to write its own folders into a temporary place."""
    root = settings.repository.resolve()
    sys.path[1:1] = [str(root / "main"), str(root / "data"), str(root)]
    os.chdir(str(root / "demo" if (root / "demo").is_dir() else root / "main"))
    from config import cfg

    elsewhere = tempfile.mkdtemp(prefix="osx-")
    atexit.register(shutil.rmtree, elsewhere, ignore_errors=True)
    if where.startswith("cuda"):
        # it sets the variable: keep to what we were given
        cfg.set_args(os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0])
    cfg.set_additional_args(
        encoder_setting="osx_b" if "osx_b" in settings.checkpoint.name else "osx_l",
        decoder_setting="normal",
        pretrained_model_path=str(settings.checkpoint),
        exp_name=elsewhere,
    )
    return cfg


def estimate(model, patch, where):
    """The model's answer for a patch (h, w, 3) of 0..255: arrays of one person."""
    import torch

    pixels = torch.from_numpy(patch.transpose(2, 0, 1).copy()).float()[None] / 255
    with torch.no_grad():
        found = model({"img": pixels.to("cuda" if where.startswith("cuda") else where)}, {}, {}, "test")
    return {
        name: found[name].detach().float().cpu().numpy()[0] for name in [*NAMES.values(), "cam_trans", "smplx_mesh_cam"]
    }


def camera(cfg, box):
    """Focal lengths and principal point in pixels of the whole image, from those of the model's input and x y w h."""
    high, wide = cfg.input_body_shape
    x, y, width, height = (float(number) for number in box)
    focal = [cfg.focal[0] / wide * width, cfg.focal[1] / high * height]
    center = [cfg.princpt[0] / wide * width + x, cfg.princpt[1] / high * height + y]
    return focal, center


def save(out, found, view, faces):
    """Writes both files; the mesh without the camera's translation, which the model has added to it."""
    import numpy as np

    record = {key: found[name].reshape(1, -1).tolist() for key, name in NAMES.items()}
    record["cam_trans"] = found["cam_trans"].tolist()
    record["focal"], record["princpt"] = view
    (out / "smplx_parameters.json").write_text(json.dumps(record), encoding="utf-8")
    verts = found["smplx_mesh_cam"] - found["cam_trans"]
    lines = ["v {:.8g} {:.8g} {:.8g}".format(*vert) for vert in verts.tolist()]
    lines += ["f {} {} {}".format(*face) for face in (np.asarray(faces) + 1).tolist()]
    (out / "h_mesh.obj").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    # In place of this folder, whose names would hide those of the model's own modules.
    sys.path[0] = str(Path(__file__).resolve().parent.parent / "child")
    from serve import serve

    serve(load)
