# Every target runs the same on a laptop and in CI. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help install demo labelstudio test test-stack check docs lock clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# A stamp says which requirements an environment holds, so that a second call installs nothing.
.venv/.demo: requirements/demo.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one: make PYTHON=python3.12 $(MAKECMDGOALS)")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements/demo.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.test: .venv/.demo requirements/test.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements/test.txt
	@touch $@

install: .venv/.demo  ## create .venv with the pinned versions and the `adaptml` command

demo: .venv/.demo  ## run the whole example on this machine, from posts to a served prediction
	@$(BIN)/python -m example_data.demo

labelstudio: .venv/.demo  ## run a Label Studio on this machine, with an owner and two annotators
	@$(BIN)/python -m labelstudio.local_server

check: .venv/.test  ## style, types and docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

test: check  ## all tests on two cores (WORKERS=4: on four), style, types and docs
	$(BIN)/python -m pytest --numprocesses $(WORKERS)

test-stack: .venv/.test  ## boot the Docker stack, run the example in it, break it; leaves nothing behind
	docker/test-stack.sh

.venv/.docs: .venv/.demo requirements/docs.txt
	$(BIN)/python -m pip install --disable-pip-version-check --quiet --requirement requirements/docs.txt
	@touch $@

docs: .venv/.docs  ## build the site of the Python library in docs/_build/html; its notebook is run
	$(BIN)/python -m sphinx -q -W --keep-going --fresh-env docs docs/_build/html
	@echo "open docs/_build/html/index.html"

lock: .venv/.test  ## compile requirements/ anew from pyproject.toml
	requirements/compile.sh $(BIN)/uv

clean:  ## delete the environment and everything that the steps wrote
	rm -rf .venv workspace mlruns docs/_build docs/_api .mypy_cache .pytest_cache .ruff_cache
