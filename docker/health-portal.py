"""Healthy: the page answers with 200."""

import urllib.request

if __name__ == "__main__":
    urllib.request.urlopen("http://127.0.0.1:8050/health", timeout=5).close()
