#!/bin/bash
# Label Studio on its volume; the owner is made on the first start and keeps the password that it has then.
set -euo pipefail
secret() { cat "/run/secrets/label_studio_$1"; }
LABEL_STUDIO_PASSWORD=$(secret password) LABEL_STUDIO_USER_TOKEN=$(secret token) SECRET_KEY=$(secret key)
export LABEL_STUDIO_PASSWORD LABEL_STUDIO_USER_TOKEN SECRET_KEY
if [ ! -e /data/label_studio.sqlite3 ]; then
  cp /opt/template/label_studio.sqlite3 /data/.template && mv /data/.template /data/label_studio.sqlite3
fi
cd /data
exec label-studio start --no-browser --internal-host 0.0.0.0 --port 8080
