"""Healthy: the server answers with what it read from its database, not only that it is alive."""

import json
import urllib.request

ADDRESS = "http://127.0.0.1:5000/api/2.0/mlflow/experiments/search?max_results=1"

if __name__ == "__main__":
    with urllib.request.urlopen(ADDRESS, timeout=5) as answer:
        json.load(answer)["experiments"]
