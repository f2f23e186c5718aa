#!/usr/bin/env bash
# Runs the tests as `make test` does. They share one local stack of their own:
# its PostgreSQL serves the integration tests, each with databases it makes
# itself, and the whole stack serves the end-to-end tests.
#
#   infra/local/test.sh [e2e]
set -euo pipefail

what=${1:-all}
unset DATABASE_URL AWS_ENDPOINT_URL
export LOCAL_DIR=.local/test LOCAL_STACK_NAME=etl-test
stack() { python3 infra/local/stack.py "$@"; }
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

if [ "$what" = all ]; then
  step "lint"
  make --no-print-directory lint
  step "generated documents"
  go run ./infra/docs -check
  step "Python: emulator, stack, oracle, agreement with frictionless"
  .local/venv/bin/python -m unittest discover -q infra/local/emulator
  .local/venv/bin/python -m unittest discover -q -s infra/local/runner -t infra/local
  python3 -m unittest discover -q infra/local/oracle
  .local/venv/bin/python -m unittest discover -q infra/local/agreement
  step "files as people deliver them"
  python3 infra/local/fieldcases/check.py build/local/etlctl
fi

step "local stack"
stack reset
trap 'stack down' EXIT
# A day until an automatic redrive: the one test that waits for it shortens that.
LOCAL_PARAMETERS="ChunkBytes=1048576 ChunkRecords=500 AutomaticRedriveDelay=86400" stack up

if [ "$what" = all ]; then
  step "unit and integration tests"
  DATABASE_URL=$(sed -n 's/^TEST_DATABASE_URL=//p' $LOCAL_DIR/env) MINISTACK="$PWD/.local/venv/bin/python $PWD/infra/local/emulator/main.py" STATELINT="$PWD/.local/venv/bin/statelint" \
    go test -race -timeout 25m ./...
fi

step "end-to-end tests"
# What they print is searched for sensitive values like every other log.
E2E_ENV=$LOCAL_DIR/env go test -v -count=1 -timeout 25m -tags e2e ./infra/local/e2e/... 2>&1 | tee "$LOCAL_DIR/log/e2e.log"
step "fault matrix: a cell of each fault and of each step"
stack down
go run ./infra/local/chaos -fast
step "all passed"
