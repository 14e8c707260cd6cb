#!/usr/bin/env bash
# Which build the tag of each image in .env means now, as the registry says: docker/images.env, which `adaptml up` reads
# after .env. Never edited by hand; without it the tags hold.
set -euo pipefail
cd "$(dirname "$0")/.."
docker buildx version >/dev/null 2>&1 || {
  echo "Docker's buildx does not answer, which asks the registry; expected Docker with buildx: install it" >&2
  exit 1
}
new=docker/images.env.new
trap 'rm -f "$new"' EXIT
echo '# Written by docker/pin-images.sh; run it again when .env names another tag.' >"$new"
while IFS='=' read -r name image; do
  manifest=$(docker buildx imagetools inspect "$image" --format '{{json .Manifest}}')
  digest=$(python3 -c 'import json, sys; print(json.loads(sys.argv[1])["digest"])' "$manifest")
  [[ $digest =~ ^sha256:[0-9a-f]{64}$ ]] || { echo "no digest of $image, but '$digest'" >&2; exit 1; }
  echo "$name=$image@$digest" >>"$new"
done < <(grep -E '^[A-Z]+_IMAGE=.' .env)
mv "$new" docker/images.env
cat docker/images.env
