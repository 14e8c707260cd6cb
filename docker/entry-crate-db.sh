#!/bin/bash
# CrateDB of one node. `crate`, the superuser, is let in from inside this container alone; everybody else
# needs a password, and `adaptml` gets its own as soon as the server answers. A statement goes to curl by stdin: what
# stands in a command line is read by every user of the machine.
set -euo pipefail
password=$(cat /run/secrets/database_password)
ask() {
  curl --silent --show-error --fail-with-body --max-time 30 --user crate: --header 'Content-Type: application/json' \
    --data @- http://localhost:4200/_sql <<<"{\"stmt\": \"$1\"}"
}
make_user() {
  until ask 'SELECT 1 FROM sys.cluster' >/dev/null 2>&1; do sleep 1; done
  ask "CREATE USER adaptml WITH (password = '$password')" >/dev/null 2>&1 ||
    ask "ALTER USER adaptml SET (password = '$password')"
  ask 'GRANT DQL, DML, DDL TO adaptml'
  # `adaptml up` reads it before it starts a newer version, which converts the data.
  [[ $(ask "SELECT version['number'] FROM sys.nodes") =~ \[\"([0-9.]+)\"\] ]]
  echo "${BASH_REMATCH[1]}" >/data/crate-version
}
make_user &
exec /docker-entrypoint.sh crate -Cdiscovery.type=single-node -Cnetwork.host=_site_,_local_ \
  -Cauth.host_based.enabled=true \
  -Cauth.host_based.config.0.user=crate -Cauth.host_based.config.0.address=_local_ \
  -Cauth.host_based.config.0.method=trust \
  -Cauth.host_based.config.99.method=password
