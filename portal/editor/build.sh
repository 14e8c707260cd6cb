#!/usr/bin/env bash
# Bundle the code editor anew into ../static/vendor/editor.js, with its packages' licences beside it: needs npm.
set -euo pipefail
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp package.json package-lock.json editor.js "$work"
cd "$work"
npm ci --ignore-scripts --no-audit --no-fund --silent
node_modules/.bin/esbuild editor.js --bundle --minify --format=esm --target=es2022 --legal-comments=none --outfile=out.js
for folder in node_modules/@codemirror/* node_modules/@lezer/* node_modules/@marijn/* node_modules/crelt \
    node_modules/style-mod node_modules/w3c-keyname; do
  printf '%s\n\n' "== ${folder#node_modules/} $(node -p "require('./$folder/package.json').version")"
  cat "$folder/LICENSE"
  echo
done > licences.txt
cd - > /dev/null
cp "$work/out.js" ../static/vendor/editor.js
cp "$work/licences.txt" ../static/vendor/editor.LICENSES.txt
