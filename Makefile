# Every target runs the same on a laptop and in CI. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2
PORT ?= 5000
# Compiling everything would take longer than installing it. Python compiles what it imports, the first time; where it
# may not keep that, every start would compile anew.
unexport PYTHONDONTWRITEBYTECODE
PIP := -m pip install --disable-pip-version-check --quiet --no-compile
# These files name all that is needed: nothing else comes in, such as PyTorch, which some packages ask for.
LOCKED := --no-deps --require-hashes --requirement

.DEFAULT_GOAL := help
.PHONY: help install demo mlflow-ui labelstudio test test-stack check docs benchmarks lock audit clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp says which requirements an environment holds, so that a second call installs nothing.
.venv/.demo: requirements/demo.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python $(PIP) $(LOCKED) requirements/demo.txt
	$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: .venv/.demo requirements/test.txt
	$(BIN)/python $(PIP) --requirement requirements/test.txt
	@touch $@

install: .venv/.demo  ## create .venv with the pinned versions and the `adaptml` command

demo: .venv/.demo  ## run the whole example on this machine, from posts to a served prediction
	@$(BIN)/python -m example_data.demo

# MLflow's server and its pages bring twice as much as all the rest: an environment of their own, made when it is needed.
.mlflow/.installed: requirements/mlflow-server.txt | .venv/.demo
	$(BIN)/python -m venv .mlflow
	.mlflow/bin/python $(PIP) $(LOCKED) requirements/mlflow-server.txt
	@touch $@

mlflow-ui: .mlflow/.installed  ## MLflow's pages with the runs, on this machine (PORT=5001: there)
	@shown=$$($(BIN)/adaptml settings tracking_uri) && case $$shown in \
	http*) echo "a server keeps the runs; its pages are on $$shown" ;; \
	*) MLFLOW_BACKEND_STORE_URI=$$($(BIN)/adaptml settings tracking_uri --show-secrets) MLFLOW_DISABLE_TELEMETRY=true \
	  MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false .mlflow/bin/mlflow server --host 127.0.0.1 --port $(PORT) --workers 1 ;; esac

labelstudio: .venv/.demo  ## run a Label Studio on this machine, with an owner and two annotators
	@$(BIN)/python -m labelstudio.local_server

check: .venv/.test  ## style, types and docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check  ## all tests on two cores (WORKERS=4: on four), style, types and docs
	$(BIN)/python -m pytest --numprocesses $(WORKERS)

test-stack: .venv/.test  ## boot the Docker stack, run the example in it, break it; leaves nothing (KEEP=1: the stack)
	KEEP=$(KEEP) docker/test-stack.sh

.venv/.docs: .venv/.demo requirements/docs.txt
	$(BIN)/python $(PIP) $(LOCKED) requirements/docs.txt
	@touch $@

docs: .venv/.docs  ## build the site of the Python library in docs/_build/html; its notebook is run
	$(BIN)/python -m sphinx -q -W --keep-going --fresh-env docs docs/_build/html
	@echo "open docs/_build/html/index.html"

benchmarks: .venv/.test  ## measure, beside references, and write docs/benchmarks.md (ONLY="reading scale", ROWS=10000000)
	$(BIN)/python -m benchmarks.page $(or $(ONLY),all) $(if $(ROWS),--rows $(ROWS))

lock: .venv/.test  ## compile requirements/ anew from pyproject.toml
	requirements/compile.sh $(BIN)/uv

.audit/.installed: requirements/audit.txt
	$(PYTHON) -m venv .audit
	.audit/bin/python $(PIP) $(LOCKED) requirements/audit.txt
	@touch $@

audit: .audit/.installed  ## list all packages in sbom/ (CycloneDX), and look for advisories that name them
	requirements/audit.sh .audit/bin

clean:  ## delete the environment and everything that the steps wrote
	rm -rf .venv .mlflow .audit sbom workspace mlruns docs/_build docs/_api .mypy_cache .pytest_cache .ruff_cache
