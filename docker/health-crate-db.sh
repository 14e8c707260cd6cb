#!/bin/bash
# Healthy: the steps' own user logs in and is answered, and every shard is started. Copies of shards count not: one
# node never starts those.
set -euo pipefail
# The password goes to curl by stdin: what stands in a command line is read by every user of the machine.
answer=$(curl --silent --fail --max-time 5 --config - \
  --header 'Content-Type: application/json' \
  --data "{\"stmt\": \"SELECT count(*) FROM sys.shards WHERE \\\"primary\\\" AND state <> 'STARTED'\"}" \
  http://localhost:4200/_sql <<<"user = \"adaptml:$(cat /run/secrets/database_password)\"")
[[ $answer == *'"rows":[[0]]'* ]]
