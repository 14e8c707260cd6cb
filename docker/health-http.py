"""Healthy: the prediction service answers with 200, for which it asks its database."""

import urllib.request

if __name__ == "__main__":
    urllib.request.urlopen("http://127.0.0.1:8000/health", timeout=5).close()
