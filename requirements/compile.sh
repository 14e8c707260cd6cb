#!/bin/sh
# Compile the pinned requirements: one file for everything that runs, one for the tests on top of it,
# one for a Label Studio on this machine.
# They name versions only: which index or folder they come from is each machine's own setting.
set -eu
uv=${1:-uv}
cd "$(dirname "$0")/.."
compile() {
  output=$1; shift
  "$uv" pip compile --quiet --python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate \
    --no-header "$@" pyproject.toml --output-file "$output"
  # A local build of torch (2.13.0+cpu) is the same version for everybody else. Its builds differ in what they need:
  # the one for CUDA pins that itself, those for the CPU and for macOS need and have none of it.
  sed -i.bak -e 's/+cpu$//' -e '/^[[:space:]]*#/d' -e '/^nvidia-/d' -e '/^cuda-/d' -e '/^triton=/d' "$output"
  rm "$output.bak"
}
compile requirements/test.txt --all-extras --group dev
# Label Studio pins versions that nothing else can share, so it has an environment of its own.
echo "label-studio==1.23.2" | "$uv" pip compile --quiet --python-version 3.11 --no-emit-index-url \
  --no-emit-find-links --no-annotate --no-header - --output-file requirements/labelstudio-server.txt
compile requirements/demo.txt --constraint requirements/test.txt --group build \
  --extra featurize --extra labelstudio --extra dataprogramming --extra modelling --extra deploy
# What builds the site, which runs a notebook: beside what runs the example.
compile requirements/docs.txt --constraint requirements/test.txt --group docs \
  --extra featurize --extra labelstudio --extra dataprogramming --extra modelling --extra deploy
# One file for each image of the Docker stack. Each begins with what `core` holds, so that images share a layer.
image() {
  name=$1; shift
  compile "requirements/image-$name.txt" --constraint requirements/test.txt --extra postgresql --extra cratedb "$@"
}
image core
image label-studio-dev --extra labelstudio
image mlflow-server --extra mlflow-server
image data-programming --extra dataprogramming --extra featurize
image modelling --extra modelling
image deploy --extra deploy
