# The commands of the project. Everything is installed into .venv, .venv-models and .venv-blender; nothing else on the machine
# is touched.
PYTHON ?= python3
VENV := .venv
MODELS := .venv-models
BLENDER := .venv-blender
# the only python that Blender's module runs in; empty without one, and then the add-on's tests are skipped
BLENDER_PYTHON ?= $(shell for each in python3.11 $(PYTHON); do \
	$$each -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null && echo $$each && break; done)
BIN := $(VENV)/bin
OUT ?= out
SAMPLE ?= $(OUT)/scenes/box/carry_0
BENCH_FLAGS ?=
# one process per core; a file's tests stay together, as they share what they compile; a test process that dies ends the run, as
# pytest-xdist 3.8 would wait forever for the one in its place
PYTEST_FLAGS ?= --quiet --durations=15 --durations-min=20 --numprocesses auto --dist loadfile --max-worker-restart=0
export JAX_PLATFORMS ?= cpu

.PHONY: venv venv-models venv-blender blender-addon demo tables test test-fast lint bench bench-gpu clean

venv: $(VENV)/.installed

$(VENV)/.installed: setup.py pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[lpips,cluster,photo,annotate,test]'
	touch $@

# The models that transformers and diffusers carry, on a CPU: for the tests of their wrappers. torch goes first and
# alone, so that nothing pulls in another one; torchvision is not needed.
venv-models: $(MODELS)/.installed

$(MODELS)/.installed: Makefile
	test -x $(MODELS)/bin/python || $(PYTHON) -m venv $(MODELS)
	$(MODELS)/bin/pip install --quiet --disable-pip-version-check torch==2.13.0
	$(MODELS)/bin/pip install --quiet --disable-pip-version-check \
		transformers==5.23.0 diffusers==0.42.1 pillow==13.0.0 safetensors==0.8.0
	touch $@

# Blender as a python module (1 GB), without a window: for the tests of the add-on. It wants a few libraries of the system, which
# docs/blender.md names.
venv-blender: $(BLENDER)/.installed

$(BLENDER)/.installed: Makefile
	test -n "$(BLENDER_PYTHON)" || { echo "$(BLENDER): Blender's module wants Python 3.11; give BLENDER_PYTHON=..."; exit 1; }
	test -x $(BLENDER)/bin/python || $(BLENDER_PYTHON) -m venv $(BLENDER)
	$(BLENDER)/bin/pip install --quiet --disable-pip-version-check bpy==5.0.1
	touch $@

blender-addon: venv ## the Blender add-on as the zip that Blender installs
	$(BIN)/python experiments/blender_addon.py --out=$(OUT)/hoijax-blender.zip

demo: venv ## three built-in scenes: made, reconstructed, measured; a report for each
	$(BIN)/python experiments/make_scenes.py --out=$(OUT)/scenes --names=ball,chair,box
	$(BIN)/python experiments/reconstruct.py --data=$(OUT)/scenes --out=$(OUT)/demo

tables: venv ## the README's tables: the benchmark's test split, made and run through the grids; goes on where it stopped
	$(BIN)/python experiments/make_benchmark.py --split=test --out=$(OUT)/test
	$(BIN)/python experiments/make_benchmark.py --split=test --start=rough --from=$(OUT)/test --out=$(OUT)/test_rough
	$(BIN)/python experiments/ablate.py --grid=experiments/configs/accuracy.py --rows=paper,hoijax --data=$(OUT)/test --out=$(OUT)/ablations
	$(BIN)/python experiments/ablate.py --grid=experiments/configs/accuracy.py --rows=paper,hoijax --data=$(OUT)/test_rough \
		--out=$(OUT)/ablations_rough
	$(BIN)/python experiments/ablate.py --grid=experiments/configs/table2.py --data=$(OUT)/test --out=$(OUT)/ablations
	$(BIN)/python experiments/ablate.py --grid=experiments/configs/table3.py --data=$(OUT)/test --out=$(OUT)/ablations

test: venv venv-models $(if $(BLENDER_PYTHON),venv-blender) lint ## everything: the fast suite first, then the slow rest
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m 'not slow'
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m slow

test-fast: venv
	$(BIN)/python -m pytest $(PYTEST_FLAGS) -m 'not slow'

lint: venv
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: venv ## every benchmark on one sample (SAMPLE=DIR, default a built-in scene), beside the committed baselines
	test -d "$(SAMPLE)" || $(BIN)/python experiments/make_scenes.py --out=$(OUT)/scenes --names=box
	$(BIN)/python benchmarks/rasterizer.py --sample="$(SAMPLE)" $(BENCH_FLAGS)
	$(BIN)/python benchmarks/mesh.py --sample="$(SAMPLE)" $(BENCH_FLAGS)
	$(BIN)/python benchmarks/losses.py $(BENCH_FLAGS)
	$(BIN)/python benchmarks/metrics.py $(BENCH_FLAGS)
	$(BIN)/python benchmarks/photo.py $(BENCH_FLAGS)
	$(BIN)/python benchmarks/fit.py --sample="$(SAMPLE)"

bench-gpu: venv ## on a machine with an NVIDIA GPU: parity, times, whole fits, precision (BENCH_FLAGS=--help tells the flags)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[gpu]'
	JAX_PLATFORMS= $(BIN)/python benchmarks/gpu.py --out="$(OUT)/gpu/measured.json" $(BENCH_FLAGS)

clean:
	rm -rf $(OUT) build dist *.egg-info
