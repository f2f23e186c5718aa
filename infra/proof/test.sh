#!/usr/bin/env bash
# Runs the tests as `make test` does. They share one local stack of their own:
# its PostgreSQL serves the integration tests, each with databases it makes
# itself, and the whole stack serves the end-to-end tests.
#
#   infra/proof/test.sh [e2e [TestName]]
#   infra/proof/test.sh package ./internal/landing [TestParse]
#
# With a name, the first form runs the end-to-end tests of that name alone; with
# SHUFFLE=on they run in a random order, each on what those before it published; with
# UPDATE=1 they rewrite their golden files, and docs/permissions.md if all of them run. The second form runs the tests of one
# package, or those of a name, on services of the developer's own stack: PostgreSQL is
# started if the package has tests that need it and left running (`make down` stops
# it); a test that needs the emulator starts it.
set -euo pipefail

what=${1:-all} only=${2:-}
unset DATABASE_URL TEST_DATABASE_URL AWS_ENDPOINT_URL

if [ "$what" = package ]; then
  package=$2 run=${3:-}
  env=${LOCAL_DIR:-.local}/env
  files=$(go list -f '{{range .TestGoFiles}}{{$.Dir}}/{{.}} {{end}}{{range .XTestGoFiles}}{{$.Dir}}/{{.}} {{end}}' "$package")
  if grep -lqE 'postgrestest|TEST_DATABASE_URL' $files /dev/null; then
    python3 infra/local/stack.py postgres
    set -a; . "$env"; set +a
  elif grep -lqE 'registrytest|STATELINT' $files /dev/null; then
    python3 infra/local/stack.py venv
    export MINISTACK=$PWD/infra/local/emulator/run STATELINT=$PWD/.local/venv/bin/statelint
  fi
  exec go test -race -run "$run" "$package"
fi

export LOCAL_DIR=.local/test LOCAL_STACK_NAME=etl-test
stack() { python3 infra/local/stack.py "$@"; }
step() { printf '\n== %s (%ss)\n' "$1" "$SECONDS"; }

if [ "$what" = all ]; then
  step "lint"
  make --no-print-directory lint
  step "generated documents"
  go run ./infra/docs -check
  step "Python: emulator, stack, oracle, agreement with frictionless, ciphertexts, stand-in by schemathesis, SOAP by zeep and spyne"
  .local/venv/bin/python -m unittest discover -q infra/local/emulator
  .local/venv/bin/python -m unittest discover -q -s infra/local/runner -t infra/local
  python3 -m unittest discover -q infra/proof/oracle
  .local/venv/bin/python -m unittest discover -q infra/proof/agreement
  .local/venv/bin/python -m unittest discover -q infra/proof/permissions
  .local/venv/bin/python -m unittest discover -q infra/proof/ciphertext
  stack schemathesis
  .local/schemathesis/bin/python -m unittest discover -q infra/proof/openapi
  stack soap
  .local/soap/bin/python -m unittest discover -q infra/proof/soap
  step "files as people deliver them"
  python3 infra/proof/fieldcases/check.py build/local/etlctl
fi

step "local stack"
stack reset
trap 'stack down' EXIT
# A day until an automatic redrive: the one test that waits for it shortens that.
LOCAL_PARAMETERS="ChunkBytes=1048576 ChunkRecords=500 AutomaticRedriveDelay=86400" stack up

if [ "$what" = all ]; then
  step "unit and integration tests"
  (set -a; . $LOCAL_DIR/env; set +a; go test -race -timeout 25m ./...)
fi

step "end-to-end tests"
# What they print is searched for sensitive values like every other log.
E2E_ENV=$LOCAL_DIR/env go test -v -count=1 -timeout 25m -tags e2e -shuffle "${SHUFFLE:-off}" -run "$only" ./infra/proof/e2e/... ${UPDATE:+-update} 2>&1 | tee "$LOCAL_DIR/log/e2e.log"
if [ -z "$only" ]; then
  step "permissions: granted, used, and nothing denied"
  (set -a; . $LOCAL_DIR/env; set +a; AWS_DEFAULT_REGION=$AWS_REGION .local/venv/bin/python infra/proof/permissions/check.py \
    "$LOCAL_STACK_NAME" "$LOCAL_DIR/emulator/permissions.jsonl" ${UPDATE:+--update})
fi
if [ "$what" = e2e ]; then exit; fi
step "fault matrix: a cell of each fault and of each step"
stack down
go run ./infra/proof/chaos -fast
step "all passed"
