#!/bin/bash
# --connect: a login over TCP works; --innodb_initialized: so does the storage engine. Flags of the official image.
set -eo pipefail
login=/var/lib/mysql/.healthcheck.cnf
[ -r "$login" ] || exit 1
ask() { mariadb --defaults-extra-file="$login" -N -e "$1"; }
for flag in "$@"; do
  case $flag in
    --connect) ask 'SELECT 1' >/dev/null ;;
    --innodb_initialized)
      [ "$(ask "SELECT 1 FROM information_schema.ENGINES WHERE engine = 'innodb' AND support IN ('YES', 'DEFAULT')")" = 1 ] ;;
  esac
done
