"""`mlflow gc` on the server's own database: what was deleted is deleted for good, its files too.

The password stays out of the command line, which others can read.
"""

import os
import pathlib
import sys

from mlflow.cli import cli

if __name__ == "__main__":
    password = pathlib.Path("/run/secrets/mlflow_db_password").read_text(encoding="utf-8").strip()
    store = f"mysql+pymysql://mlflow:{password}@{os.environ['DB_HOST']}:3306/mlflow"
    os.environ["MLFLOW_TRACKING_URI"] = "http://127.0.0.1:5000"  # through which the files are found
    cli(["gc", "--backend-store-uri", store, *sys.argv[1:]])
