#!/usr/bin/env bash
# The official images that the stack builds on, under their own names: pulled where a registry answers,
# otherwise stand-ins built from Debian's packages. Stand-ins are for trying the stack, not for work with it.
# usage: make.sh [IMAGE...]      STAND_INS=only does not ask a registry
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin  # mmdebstrap calls what is there
here=$(cd "$(dirname "$0")" && pwd)
images=("$@")
[ ${#images[@]} -gt 0 ] || images=(python:3.11-slim-bookworm mariadb:11.8 postgres:17)
log() { printf '[images] %s\n' "$*" >&2; }
present() { docker image inspect "$1" >/dev/null 2>&1; }
pulled() { [ "${STAND_INS:-}" != only ] && timeout 300 docker pull -q "$1" >/dev/null 2>&1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Certificates that this machine trusts beyond Debian's own: packages may come through a mirror that needs them.
host_certificates() {
  mkdir -p "$work/ca"
  python3 - "$work/ca" <<'PY'
import glob, pathlib, re, ssl, sys
pem = re.compile(r'-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----', re.S)
def certificates(path):
    text = pathlib.Path(path).read_text(errors='replace') if pathlib.Path(path).is_file() else ''
    return {ssl.PEM_cert_to_DER_cert(found) for found in pem.findall(text)}
stock = set().union(*(certificates(p) for p in glob.glob('/usr/share/ca-certificates/**/*.crt', recursive=True)))
extra = certificates('/etc/ssl/certs/ca-certificates.crt') - stock
for number, der in enumerate(sorted(extra)):
    pathlib.Path(sys.argv[1], f'host-{number}.crt').write_text(ssl.DER_cert_to_PEM_cert(der))
PY
}

base() {  # a minimal Debian of a release, as adaptml-stand-in/debian:RELEASE
  local release=$1 image=adaptml-stand-in/debian:$1
  present "$image" && return 0
  command -v mmdebstrap >/dev/null || {
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends mmdebstrap >/dev/null
  }
  [ -d "$work/ca" ] || host_certificates
  mmdebstrap --quiet --variant=minbase --include=ca-certificates,tzdata,netbase,usr-is-merged \
    --hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr --dpkgopt=force-unsafe-io \
    --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
    --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
    --customize-hook="copy-in $work/ca/. /usr/local/share/ca-certificates" \
    --customize-hook='chroot "$1" update-ca-certificates >/dev/null' \
    --customize-hook='printf "[global]\ncert = /etc/ssl/certs/ca-certificates.crt\n" > "$1/etc/pip.conf"' \
    --customize-hook='rm -rf "$1"/var/lib/apt/lists/* "$1"/var/cache/apt/* "$1"/var/log/*' \
    "$release" - 2>"$work/$release.log" \
  | docker import \
      --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8' \
      --change 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
      --change 'ENV REQUESTS_CA_BUNDLE=/etc/ssl/certs/ca-certificates.crt' \
      --change 'CMD ["bash"]' - "$image" >/dev/null || { cat "$work/$release.log" >&2; exit 1; }
}

for image in "${images[@]}"; do
  present "$image" && { log "$image is here"; continue; }
  pulled "$image" && { log "$image pulled"; continue; }
  case $image in
    python:3.11-*) release=bookworm folder=python ;;
    mariadb:11.*)  release=trixie   folder=mariadb ;;
    postgres:17*)  release=trixie   folder=postgres ;;
    *) log "$image cannot be pulled, and there is no stand-in for it"; exit 1 ;;
  esac
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || {
    log "$image cannot be pulled; its stand-in can be built as root on Debian only"; exit 1; }
  log "$image cannot be pulled: building a stand-in from Debian's packages"
  base $release
  docker build -q --build-arg BASE="adaptml-stand-in/debian:$release" -t "$image" "$here/$folder" >/dev/null
  log "$image is a stand-in, $(docker image inspect -f '{{.Size}}' "$image" | awk '{printf "%.0f MB", $1/1e6}')"
done
