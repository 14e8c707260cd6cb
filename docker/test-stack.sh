#!/usr/bin/env bash
# The whole stack under test: engine, images, boot, the example, kills, restarts, backup. `make test-stack`.
# STACK_TEST=skip leaves it out, and says so; KEEP=1 leaves the stack running in the end. Official images where a
# registry answers, otherwise stand-ins.
set -euo pipefail
cd "$(dirname "$0")/.."
loud() { printf '\n*** %s ***\n\n' "$*" >&2; }
if [ "${STACK_TEST:-}" = skip ]; then loud 'the stack was NOT tested: STACK_TEST=skip'; exit 0; fi
# A person's own .env.dev may name folders with real data: the tests take the defaults.
export COMPOSE_ENV_FILES=.env
docker/ensure-engine.sh
docker/stand-ins/make.sh python:3.11-slim-bookworm mariadb:11.8
crate=${CRATE_IMAGE:-crate:6.4.3}
if docker image inspect "$crate" >/dev/null 2>&1 || timeout 300 docker pull -q "$crate" >/dev/null 2>&1; then
  unset STACK_STAND_INS
  if [ -f docker/images.env ]; then COMPOSE_ENV_FILES+=,docker/images.env; fi
else
  loud "$crate cannot be had: PostgreSQL STANDS IN FOR CRATEDB, which this run does not test"
  docker/stand-ins/make.sh postgres:17
  export STACK_STAND_INS=1
fi
started=$SECONDS
docker compose --profile dev --profile scale build --quiet
docker image prune --force --filter label=com.docker.compose.project="${STACK_NAME:-adaptml}" >/dev/null  # what these replace
printf 'images built or found in %s s\n' $((SECONDS - started))
docker image ls --format '{{.Repository}}:{{.Tag}} {{.Size}}' | grep '^adaptml/'
STACK_TEST=1 exec .venv/bin/python -m pytest test/stack --timeout 1200 --durations 5 "$@"
