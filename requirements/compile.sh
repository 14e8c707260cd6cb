#!/bin/sh
# Compile the pinned requirements: one file for everything that runs, one for the tests on top of it.
# They name versions only: which index or folder they come from is each machine's own setting.
set -eu
uv=${1:-uv}
cd "$(dirname "$0")/.."
compile() {
  output=$1; shift
  "$uv" pip compile --quiet --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate \
    --no-header "$@" pyproject.toml --output-file "$output"
  # A local build of torch (2.13.0+cpu) is the same version for everybody else.
  sed -i.bak -e 's/+cpu$//' -e '/^[[:space:]]*#/d' "$output" && rm "$output.bak"
}
compile requirements/test.txt --all-extras --group dev
compile requirements/demo.txt --constraint requirements/test.txt --group build \
  --extra featurize --extra labelstudio --extra dataprogramming --extra modelling --extra deploy
