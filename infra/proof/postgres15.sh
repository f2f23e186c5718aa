#!/usr/bin/env bash
# Runs the tests of the migrations, the statements and the logins on PostgreSQL 15, as
# Debian 12 has it: the oldest version that the product supports. The local stack and
# all other tests use the newest. The server is a temporary one of the script's own.
#
#   infra/proof/postgres15.sh [arguments of go test]
set -euo pipefail

bin=${POSTGRES15:-/usr/lib/postgresql/15/bin}
[ -x "$bin/initdb" ] || { echo "PostgreSQL 15 is not in $bin: apt-get install postgresql-15, or set POSTGRES15 to its folder of programs." >&2; exit 2; }

folder=$(mktemp -d)
as() { if [ "$(id -u)" = 0 ]; then setpriv --reuid=postgres --regid=postgres --clear-groups "$@"; else "$@"; fi; } # the server refuses root
stop() { as "$bin/pg_ctl" -D "$folder/data" -m immediate -s stop || true; rm -rf "$folder"; }
trap stop EXIT
[ "$(id -u)" != 0 ] || chown postgres "$folder"
cd "$folder"
head -c 24 /dev/urandom | base64 | tr -dc 'a-zA-Z0-9' > password
chmod 644 password
as "$bin/initdb" -D "$folder/data" -U postgres --pwfile="$folder/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 > initdb.log
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
as "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/log" -s -w -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off" start
export PGPASSWORD; PGPASSWORD=$(cat password)
"$bin/psql" -X -q -h 127.0.0.1 -p "$port" -U postgres -c "CREATE ROLE etl_test LOGIN CREATEDB CREATEROLE PASSWORD '$PGPASSWORD'"
cd "$OLDPWD"
TEST_DATABASE_URL="postgresql://etl_test:$PGPASSWORD@127.0.0.1:$port/postgres?sslmode=disable" go test "$@" ./internal/postgres ./internal/setrule ./migrations
