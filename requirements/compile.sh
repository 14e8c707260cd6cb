#!/bin/sh
# Compile the pinned requirements from pyproject.toml, for every platform: what runs, what tests need on top of it, one
# file for each image and for each server that has an environment of its own. They name versions and hashes only:
# which index or folder they come from is each machine's own setting.
set -eu
uv=${1:-uv}
cd "$(dirname "$0")/.."
compile() {
  output=$1; shift
  "$uv" pip compile --quiet --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links \
    --no-annotate --no-header "$@" --output-file "requirements/$output.txt"
}
# pip takes a local build of torch (2.13.0+cpu) as the same version, but not by the hash of another build: no hashes.
# Builds differ in what they need: the one for CUDA pins that itself, those for the CPU and for macOS have none of it.
compile test --all-extras --group dev pyproject.toml
sed -i.bak -e 's/+cpu$//' -e '/^nvidia-/d' -e '/^cuda-/d' -e '/^triton=/d' requirements/test.txt
rm requirements/test.txt.bak
# Complete, and installed with --no-deps: nothing that a file does not name comes in.
locked() {
  compile "$@" --generate-hashes --constraint requirements/test.txt --override requirements/overrides.txt
}
run="--extra featurize --extra labelstudio --extra dataprogramming --extra modelling --extra deploy --extra embedded --extra excel --extra portal"
# shellcheck disable=SC2086 - a list of options
locked demo $run --group build pyproject.toml
# What builds the site, which runs a notebook: beside what runs the example.
# shellcheck disable=SC2086
locked docs $run --group docs pyproject.toml
locked mlflow-server --group mlflow-server
# Their pins are no others' either.
compile labelstudio-server --generate-hashes --group labelstudio-server
compile audit --generate-hashes --group audit
# One file for each image of the Docker stack. Each begins with what `core` holds, so that images share a layer.
image() {
  name=$1; shift
  locked "image-$name" --extra postgresql --extra cratedb "$@" pyproject.toml
}
image core
image label-studio-dev --extra labelstudio
image data-programming --extra dataprogramming --extra excel --extra featurize --extra scale
image modelling --extra modelling --extra scale
image scale --extra dataprogramming --extra featurize --extra modelling --extra scale
image deploy --extra deploy
image portal --extra portal
