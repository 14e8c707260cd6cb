#!/usr/bin/env bash
# A Docker engine with Compose V2 and BuildKit, installed and started where they are missing and this is root.
# A no-op where they answer already. Debian 13's engine runs on Debian 12: it needs no newer libc.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin  # where the engine and iptables are, and not everybody looks
log() { printf '[engine] %s\n' "$*" >&2; }
engine_answers() { timeout 20 docker info >/dev/null 2>&1; }
pkgs='docker.io docker-cli docker-compose docker-buildx containerd'

need_root() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && return 0
  log "$1; expected Docker Engine with Compose V2: install it (usage.md, The stack), or run this as root on Debian"
  exit 1
}

# Debian 12 packages no Compose V2: the next release's packages, and only these, from the mirror in use here.
pin_newer_release() {
  [ "$(. /etc/os-release; echo "${VERSION_CODENAME:-}")" = bookworm ] || return 0
  local mirror
  mirror=$(apt-get indextargets --format '$(SITE) $(RELEASE)' 'Created-By: Packages' | awk '$2=="bookworm"{print $1; exit}')
  [ -n "$mirror" ] || { log 'no Debian 12 mirror in the apt sources'; exit 1; }
  printf 'Types: deb\nURIs: %s\nSuites: trixie\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n' \
    "$mirror" > /etc/apt/sources.list.d/adaptml-docker.sources
  printf 'Package: *\nPin: release n=trixie\nPin-Priority: 50\n\nPackage: %s\nPin: release n=trixie\nPin-Priority: 990\n' \
    "$pkgs" > /etc/apt/preferences.d/adaptml-docker
}

install_engine() {
  need_root "$1"
  log "$1: installing Debian's"
  export DEBIAN_FRONTEND=noninteractive
  local policy=/usr/sbin/policy-rc.d
  # Without a service manager the package may not try to start the engine by itself.
  [ -e $policy ] || { printf '#!/bin/sh\nexit 101\n' > $policy; chmod 755 $policy; trap "rm -f $policy" EXIT; }
  apt-get -qq update
  pin_newer_release
  apt-get -qq update
  # shellcheck disable=SC2086 - a list of packages
  apt-get -qq install -y --no-install-recommends $pkgs iptables ca-certificates xz-utils >/dev/null
}

start_engine() {
  need_root 'the Docker engine does not answer'
  local log_file=/var/log/dockerd.log pid_file=/var/run/docker.pid pid
  grep -q ' /sys/fs/cgroup' /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup || log 'no cgroup hierarchy'
  # A pid file of an earlier boot stops the engine when that number is another process now.
  if [ -s $pid_file ] && [ "$(cat "/proc/$(cat $pid_file)/comm" 2>/dev/null)" != dockerd ]; then rm -f $pid_file; fi
  setsid nohup dockerd >>"$log_file" 2>&1 </dev/null &
  pid=$!
  for _ in $(seq 240); do
    engine_answers && { log "engine started (pid $pid, log $log_file)"; return 0; }
    kill -0 $pid 2>/dev/null || break
    sleep .25
  done
  tail -20 "$log_file" >&2
  log 'the engine did not start; its log is above'
  exit 1
}

if ! engine_answers; then
  command -v dockerd >/dev/null || install_engine 'no Docker engine answers'
  start_engine
fi
docker compose version >/dev/null 2>&1 || install_engine 'no Compose V2'
docker buildx version >/dev/null 2>&1 || install_engine 'no BuildKit'
log "$(docker version -f 'client {{.Client.Version}}, engine {{.Server.Version}}'), Compose $(docker compose version --short)"
