"""Fly around results in the browser: Gaussians, meshes, and the photograph behind them.

    python experiments/view.py --results=OUT [--data=TREE]

OUT is what reconstruct.py or dataset_run.py wrote; with --data each photograph hangs behind its scene. The server listens
on this machine only: a result on another machine is seen through an ssh tunnel (ssh -L 8081:localhost:8081 HOST).
"""

import socket
import sys
from pathlib import Path

from absl import app, flags

from hoijax.data.layout import is_sample
from hoijax.data.results import find_results, load_summary

_RESULTS = flags.DEFINE_string("results", None, "A result folder, or a tree of them.", required=True)
_DATA = flags.DEFINE_string("data", None, "The tree of samples that the results were made of.")
_PORT = flags.DEFINE_integer(
    "port", 8081, "Port on this machine; 0: any that is free.", lower_bound=0, upper_bound=65535
)


def free_port(port: int) -> int:
    """The port, or any free one for 0. Exits with a sentence where another program has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            sys.exit(f"--port={port}: cannot listen there ({error.strerror}); --port=0 takes any free port")
        return int(probe.getsockname()[1])


def main(argv: list[str]) -> None:
    """Finds the results and shows them until it is interrupted."""
    if len(argv) > 1:
        sys.exit(f"not a flag: {argv[1:]} (see --help)")
    import viser  # here, so that --help needs no server

    from hoijax.annotate.splat_view import SplatView

    tree = Path(_RESULTS.value)
    results = {
        load_summary(folder).name if folder == tree else folder.relative_to(tree).as_posix(): folder
        for folder in find_results(tree)
    }
    if not results:
        sys.exit(f"{tree}: no result in it (a result folder has a result.json)")
    samples = {}
    if _DATA.value:
        beside = {name: Path(_DATA.value) / name for name in results}
        samples = {name: folder for name, folder in beside.items() if is_sample(folder)}
        missing = [name for name in results if name not in samples]
        if missing:
            print(
                f"--data={_DATA.value}: no sample {', '.join(missing[:5])}; shown without photographs", file=sys.stderr
            )
    server = viser.ViserServer(host="127.0.0.1", port=free_port(_PORT.value), label="hoijax", verbose=False)
    view = SplatView(server, results, samples)
    print(f"{len(view.results)} results; open http://localhost:{server.get_port()}/", flush=True)
    server.sleep_forever()


if __name__ == "__main__":
    app.run(main)
