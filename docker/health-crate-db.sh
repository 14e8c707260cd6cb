#!/bin/bash
# Healthy: the steps' own user logs in and is answered, and every shard is started. Copies of shards count not: one
# node never starts those.
set -euo pipefail
answer=$(curl --silent --fail --max-time 5 --user "adaptml:$(cat /run/secrets/database_password)" \
  --header 'Content-Type: application/json' \
  --data "{\"stmt\": \"SELECT count(*) FROM sys.shards WHERE \\\"primary\\\" AND state <> 'STARTED'\"}" \
  http://localhost:4200/_sql)
[[ $answer == *'"rows":[[0]]'* ]]
