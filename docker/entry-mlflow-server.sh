#!/bin/bash
# The tracking server on its own MariaDB. The password stays out of the command line, which others can read.
set -euo pipefail
password=$(cat /run/secrets/mlflow_db_password)
export MLFLOW_BACKEND_STORE_URI="mysql+pymysql://mlflow:$password@$DB_HOST:3306/mlflow"
# A database of an earlier MLflow is brought up to date; the same version starts at once.
version=$(python -c 'from importlib.metadata import version; print(version("mlflow"))')
stamp=/mlruns/.mlflow-version
if [ -e $stamp ] && [ "$(cat $stamp)" != "$version" ]; then
  python -c 'import os; from mlflow.db import upgrade; upgrade([os.environ["MLFLOW_BACKEND_STORE_URI"]])' 2>&1 | tail -1
fi
printf '%s' "$version" > $stamp.new && mv $stamp.new $stamp
# Without its job runner the server needs a quarter of the memory. It answers only to these names.
exec mlflow server --host 0.0.0.0 --port 5000 --workers 1 --artifacts-destination /mlruns \
  --allowed-hosts "$(hostname),$(hostname):*,$ALLOWED_HOSTS"
