#!/bin/bash
# Healthy: the steps' own user logs in and is answered.
set -euo pipefail
curl --silent --fail --max-time 5 --user "adaptml:$(cat /run/secrets/database_password)" \
  --header 'Content-Type: application/json' --data '{"stmt": "SELECT 1 FROM sys.cluster"}' \
  http://localhost:4200/_sql >/dev/null
