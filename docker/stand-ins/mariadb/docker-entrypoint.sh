#!/bin/bash
# As much of the official image's entrypoint as the stack uses: MARIADB_DATABASE, _USER, _PASSWORD and
# _RANDOM_ROOT_PASSWORD on the first start; the server itself runs as the user mysql.
set -euo pipefail
[ "${1:-}" = mariadbd ] || [ "${1:0:1}" = - ] || exec "$@"
[ "${1:0:1}" = - ] || shift
if [ "$(id -u)" = 0 ]; then
  chown -R mysql:mysql /var/lib/mysql
  exec setpriv --reuid=mysql --regid=mysql --init-groups "$0" mariadbd "$@"
fi
data=/var/lib/mysql socket=/run/mysqld/mysqld.sock
options=(--no-defaults --datadir=$data --socket=$socket --character-set-server=utf8mb4)
quoted() { local text=${1//\\/\\\\}; printf "'%s'" "${text//\'/\'\'}"; }
if [ ! -e $data/.initialised ]; then
  : "${MARIADB_DATABASE:?}" "${MARIADB_USER:?}" "${MARIADB_PASSWORD:?}"
  find $data -mindepth 1 -delete  # what an interrupted first start left
  mariadb-install-db --no-defaults --datadir=$data --auth-root-authentication-method=normal --skip-test-db >/dev/null
  mariadbd "${options[@]}" --skip-networking &
  server=$!
  for _ in $(seq 240); do mariadb-admin --socket=$socket -uroot ping >/dev/null 2>&1 && break; sleep .25; done
  health=$(head -c 24 /dev/urandom | base64) root=$(head -c 24 /dev/urandom | base64)
  mariadb --socket=$socket -uroot <<SQL
CREATE USER healthcheck@'127.0.0.1' IDENTIFIED BY $(quoted "$health");
CREATE DATABASE \`$MARIADB_DATABASE\`;
CREATE USER $(quoted "$MARIADB_USER")@'%' IDENTIFIED BY $(quoted "$MARIADB_PASSWORD");
GRANT ALL ON \`${MARIADB_DATABASE//_/\\_}\`.* TO $(quoted "$MARIADB_USER")@'%';
DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';
FLUSH PRIVILEGES;
ALTER USER root@localhost IDENTIFIED BY $(quoted "$root");
SQL
  (umask 077; printf '[client]\nuser=healthcheck\npassword=%s\nprotocol=tcp\nhost=127.0.0.1\n' "$health" > $data/.healthcheck.cnf)
  MYSQL_PWD=$root mariadb-admin --socket=$socket -uroot shutdown
  wait $server
  touch $data/.initialised
fi
exec mariadbd "${options[@]}" --bind-address=0.0.0.0 --skip-name-resolve "$@"
