"""InterCap (Huang et al., GCPR 2022): six Azure Kinects, SMPL-X bodies and objects tracked over time.

    RGBD_Images/01/02/Seg_0/Frames_Cam1/color/00000.jpg  depth/00000.png  mask/00000_human.png  mask/00000_object.png
    Res/01/02/Seg_0/res.pkl                      (or res_2.pkl, res_1.pkl) per frame: global_orient, body_pose, ob_pose ...
    Res/01/02/Seg_0/Mesh/00000_second.ply  00000_second_obj.ply                             (or .obj)
    Data/calibration_third/Color.json  Color_2.json ... Color_6.json        f 2, c 2, k 8, R axis-angle, T 3
    objs/02.ply                                                             only where the object's mesh is missing

01/02 is subject and object. Meshes stand in camera 1's frame, OpenCV axes, metres; a calibration leads from there to its
camera: x_c = R x + T. An object's pose acts on its template as the file holds it, not centred: x = R v + t. Depth counts
millimetres along z in the pixels of the colour picture. The data set has no masks: put them where CONTHO does (above), or
let them be rendered.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hoijax.data.importers.compose import Scene, imported_sample, load_pictures
from hoijax.data.importers.lens import Lens, read_lens
from hoijax.data.importers.meshes import first_of, load_scan, needed
from hoijax.data.importers.options import Found, ImportOptions
from hoijax.data.importers.people import array_of, load_pickle, record, smplx_pose
from hoijax.data.importers.rigid import Rigid, moved_by, read_rigid
from hoijax.data.parameters import load_json
from hoijax.data.sample import ColoredMesh, Sample, SampleError

CAMERAS = range(1, 7)
OBJECTS = {
    **{"01": "suitcase", "02": "skateboard", "03": "football", "04": "umbrella", "05": "tennis racket"},
    **{"06": "toolbox", "07": "chair", "08": "bottle", "09": "cup", "10": "stool"},
}


def find_intercap(tree: Path, options: ImportOptions) -> list[Found]:
    """Pictures of one camera below `tree`. Raises SampleError for a camera that there is not, and too short a path."""
    if options.view not in CAMERAS:
        raise SampleError(tree, f"has no view {options.view}: InterCap's cameras are 1 to {CAMERAS.stop - 1}")
    found = []
    for image in sorted(tree.rglob(f"Frames_Cam{options.view}/color/*.jpg")):
        _, subject, thing, segment = recording(image)
        name = f"{subject}_{thing}_{segment}_Cam{options.view}_f{image.stem}"
        found.append(Found(Path(OBJECTS.get(thing, f"object {thing}")) / name, image))
    return found


def load_intercap(found: Found, options: ImportOptions) -> Sample:
    """One picture. Raises SampleError that names the file."""
    image, stem = found.source, found.source.stem
    root, subject, thing, segment = recording(image)
    view = image.parents[1]
    warnings: list[str] = []

    def warn(path: Path, message: str) -> None:
        warnings.append(f"{path.name}: {message}")

    lens, to_camera = read_calibration(calibration_path(root, subject, thing, options))
    masks = view / "mask"
    pictures = load_pictures(
        lens,
        image,
        first_of(masks, f"{stem}_human.png", f"{stem}_human.jpg"),
        first_of(masks, f"{stem}_object.png", f"{stem}_object.jpg"),
        first_of(view / "depth", f"{stem}.png"),
        warn,
    )
    result = root / "Res" / subject / thing / segment
    track_path = needed(result, "res.pkl", "res_2.pkl", "res_1.pkl")
    track = frame_of(track_path, load_pickle(track_path), int(stem))
    pose, notes = smplx_pose(track_path, track, to_camera)
    for note in notes:
        warn(track_path, note)
    human_path = needed(result / "Mesh", f"{stem}_second.ply", f"{stem}_second.obj")
    human = load_scan(human_path)
    moved, object_path = tracked_object(result, stem, track_path, track, options.objects, thing)
    scene = Scene(
        human=human._replace(verts=moved_by(to_camera, human.verts)),
        human_path=human_path,
        object=moved._replace(verts=moved_by(to_camera, moved.verts)),
        object_path=object_path,
        pose=pose,
    )
    return imported_sample(found.place, view, pictures, scene, options.masks, warnings, OBJECTS.get(thing))


def recording(image: Path) -> tuple[Path, str, str, str]:
    """Of a picture: the folder of RGBD_Images, Res and Data; subject, object, segment. Raises SampleError."""
    if len(image.parents) < 7:
        raise SampleError(image, "is too short a path, expected RGBD_Images/<subject>/<object>/<segment>/Frames_Cam...")
    segment, thing, subject, _, root = image.parents[2:7]
    return root, subject.name, thing.name, segment.name


def calibration_path(root: Path, subject: str, thing: str, options: ImportOptions) -> Path:
    """The camera's calibration, of the set that the recording belongs to."""
    number, which = options.view, options.calibration
    if which == "auto":
        which = assigned_calibration(root, subject, thing)
    name = "Color.json" if number == 1 else f"Color_{number}.json"
    for folder in (root / "Data" / f"calibration_{which}", root / f"calibration_{which}"):
        if (folder / name).is_file():
            return folder / name
    raise SampleError(root, f"has no Data/calibration_{which}/{name}: it is in InterCap's code repository")


def assigned_calibration(root: Path, subject: str, thing: str) -> str:
    """The set that InterCap's code uses for a subject's recording with an object. Raises SampleError for others."""
    try:
        person, item = int(subject), int(thing)
    except ValueError as error:
        raise SampleError(root, f"has a recording {subject}/{thing}, expected numbers of subject and object") from error
    early = item <= 7
    if (person <= 3 and early) or (person == 4 and item <= 4):
        return "first"
    if person in (8, 9, 10) or (person in (1, 2, 4, 5, 6, 7) and not early):
        return "second"
    if person in (5, 6, 7) or (person == 3 and not early):
        return "third"
    raise SampleError(
        root,
        f"InterCap's code says no calibration for {subject}/{thing}: name one with --calibration=first|second|third",
    )


def read_calibration(path: Path) -> tuple[Lens, Rigid]:
    """Lens, and the motion from camera 1's frame to this camera's. Raises SampleError."""
    content = record(path, load_json(path))
    motion = read_rigid(path, content.get("R"), content.get("T"), ("R", "T"))
    return read_lens(path, content.get("f"), content.get("c"), content.get("k", [])), motion


def frame_of(path: Path, track: Any, number: int) -> Mapping[str, Any]:
    """The entries of one frame: from a list with a dictionary per frame, or a dictionary with a row per frame."""
    if isinstance(track, (list, tuple)):
        if not 0 <= number < len(track):
            raise SampleError(path, f"holds {len(track)} frames, expected one of number {number}")
        return record(path, track[number])
    rows = record(path, track)
    count = array_of(rows.get("global_orient", ())).size // 3
    if not 0 <= number < count:
        raise SampleError(path, f"holds {count} frames, expected one of number {number}")
    values = {}
    for key, value in rows.items():
        array = array_of(value)
        if array.dtype.kind in "iuf" and array.size and array.size % count == 0:
            values[key] = array.reshape(count, -1)[number]  # body_pose may be flat
        elif array.dtype.kind in "iuf":
            values[key] = array  # one for all frames, as betas may be
    return values


def tracked_object(
    result: Path, stem: str, track_path: Path, track: Mapping[str, Any], objects: Path | None, thing: str
) -> tuple[ColoredMesh, Path]:
    """The object in camera 1's frame: the frame's mesh, or where there is none the template in its tracked pose.

    With `objects` the template of that folder: <objects>/02.ply.
    """
    path = first_of(result / "Mesh", f"{stem}_second_obj.ply", f"{stem}_second_obj.obj")
    if objects is None and path is not None:
        return load_scan(path), path
    motion = read_rigid(track_path, track.get("ob_pose"), track.get("ob_trans"), ("ob_pose", "ob_trans"))
    path = needed(objects or result.parents[3] / "objs", f"{thing}.ply", f"{thing}.obj")
    template = load_scan(path)
    return template._replace(verts=moved_by(motion, template.verts)), path
