#!/bin/sh
# What each environment and each image is made of, as CycloneDX in sbom/; and whether an advisory names any of it.
set -eu
bin=${1:-.audit/bin}
cd "$(dirname "$0")/.."
mkdir -p sbom
locked=$(ls requirements/*.txt | grep -v overrides)  # those are what is never installed
for file in $locked; do
  "$bin/cyclonedx-py" requirements --output-reproducible --output-file "sbom/$(basename "$file" .txt).cdx.json" "$file"
done
echo "sbom/: $(ls sbom | wc -l) lists of packages"
wrong=0
for file in $locked; do
  # --strict: a package that cannot be looked up is an error, and not passed over.
  "$bin/pip-audit" --strict --no-deps --disable-pip --progress-spinner off --requirement "$file" || { echo "in $file" >&2; wrong=1; }
done
exit $wrong
