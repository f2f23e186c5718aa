#!/usr/bin/env bash
# Checks on a deployed stack what no emulator can vouch for: that Step Functions
# itself redrives a failed import as the product counts on. NOT YET RUN AGAINST A
# LIVE AWS ACCOUNT; it passes on the local stack, whose RedriveExecution is an
# emulation (docs/design.md).
#
#   make tools && infra/smoke.sh STACK [--again]
#
# It wants GNU date, the AWS CLI (1.29.88, 2.13.37 or later), the credentials of one
# who may deploy the stack, and a stack WITHOUT PRODUCTION DATA: it imports 60
# made-up clients and what belongs to them. It refuses a stack that has published
# anything, unless --again is given: then it imports a day after the last published
# one, which replaces the reference tables (products, categories, stores, suppliers).
#
# 1. The reserved concurrency of the Prepare function is set to 0, so that Lambda
#    refuses its calls. It is set back at the end, whatever happens.
# 2. Ten files are uploaded; the import runs through its first two Distributed Maps and
#    fails in the third, after Transform.
# 3. The concurrency is set back and the execution is redriven by RedriveExecution,
#    as the console does.
# 4. Same ARN, redriveCount 1, SUCCEEDED; the first two Map Runs untouched, the
#    third redriven; no step of a chunk done twice, in the histories of the children and
#    in the registry; the registry says «réussi», and that the console redrove it.
#
# It takes some minutes (one and a half on the local stack) and costs cents.
set -euo pipefail

usage() { sed -n '7,13p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2; }
[ $# -ge 1 ] && [ $# -le 2 ] && [ "${2:---again}" = --again ] || usage
stack=$1 again=${2:-}
rows=60
patience=900 # seconds for anything: the machine's own retries take up to two minutes a step
sample=build/local/sample
[ -x "$sample" ] || { echo "There is no $sample: run make tools first, from the root of the repository." >&2; exit 2; }

# Version 1 of the AWS CLI does not read AWS_REGION.
if [ -n "${AWS_REGION:-}" ]; then export AWS_DEFAULT_REGION=$AWS_REGION; fi

say() { printf '%s\n' "$*"; }
die() { printf 'smoke: %s\n' "$*" >&2; exit 1; }

bad=0
# check WHAT WANT GOT
check() {
  if [ "$2" = "$3" ]; then say "  ok    $1: $3"; else say "  FAIL  $1: $3, want $2"; bad=$((bad + 1)); fi
}

output() { aws cloudformation describe-stacks --stack-name "$stack" --output text --query "Stacks[0].Outputs[?OutputKey=='$1'].OutputValue"; }
landing=$(output LandingBucket)
machine=$(output StateMachineArn)
table=$(output RegistryTable)
[ -n "$landing" ] && [ -n "$machine" ] && [ -n "$table" ] || die "stack $stack lacks the outputs LandingBucket, StateMachineArn and RegistryTable: is it this project's?"
prepare=$(aws cloudformation describe-stack-resource --stack-name "$stack" --logical-resource-id PrepareFunction \
  --output text --query StackResourceDetail.PhysicalResourceId)

# items PK PREFIX QUERY: what the registry holds under a partition key; an empty
# prefix is any.
items() {
  local condition='pk = :pk' values="\":pk\":{\"S\":\"$1\"}"
  if [ -n "$2" ]; then
    condition+=' AND begins_with(sk, :sk)' values+=",\":sk\":{\"S\":\"$2\"}"
  fi
  aws dynamodb query --table-name "$table" --consistent-read --output text --query "$3" \
    --key-condition-expression "$condition" --expression-attribute-values "{$values}"
}

[ "$(items QUEUE '' 'length(Items)')" = 0 ] || die "an import of $stack is open or waits; bring it to its end first (make status AWS_STACK=$stack)"
last=$(items PUBLISHED '' 'Items[].file_date.S' | tr '\t' '\n' | sort | tail -1)
if [ -z "$last" ]; then
  mode=initial date=2024-10-01
elif [ -n "$again" ]; then
  mode=daily date=$(date -u -d "$last + 1 day" +%F)
else
  die "stack $stack has published data ($last); see $0 about --again"
fi

import=
work=$(mktemp -d)
before=$(aws lambda get-function-concurrency --function-name "$prepare" --output text --query ReservedConcurrentExecutions)
throttled=
restore() {
  [ -n "$throttled" ] || return 0
  if [ "$before" = None ] || [ -z "$before" ]; then
    aws lambda delete-function-concurrency --function-name "$prepare"
  else
    aws lambda put-function-concurrency --function-name "$prepare" --reserved-concurrent-executions "$before" >/dev/null
  fi
  throttled=
}
finish() {
  status=$?
  rm -rf "$work"
  if ! restore; then
    echo "smoke: the reserved concurrency of $prepare is still 0: set it back by hand (before: $before)" >&2
    status=1
  fi
  if [ "$status" -ne 0 ] && [ -n "$import" ]; then
    echo "smoke: see what became of it: make status AWS_STACK=$stack IMPORT_ID=$import (then make redrive, or make abandon)" >&2
  fi
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# await WHAT COMMAND…: until the command succeeds.
await() {
  local what=$1 until=$((SECONDS + patience))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$until" ] || die "waited ${patience}s in vain for $what"
    sleep 2
  done
}
execution() { aws stepfunctions describe-execution --execution-arn "$arn" --output text --query "$1"; }
ended() { [ "$(execution status)" != RUNNING ]; }
started() { import=$(items "DATE#$mode#$date" IMPORT 'Items[].import_id.S') && [ -n "$import" ]; }
settled() { [ "$(items "IMPORT#$import" META 'Items[].status.S')" = "$1" ]; }
# finished: each unit that was done, and when.
finished() { items "IMPORT#$import" PROGRESS# 'Items[].[sk.S, finished_at.S]' | sort; }

say "== $stack: the $mode import of $date"
"$sample" -mode $mode -rows $rows -seed 1 -date "$date" -out "$work/files" >/dev/null
throttled=yes
aws lambda put-function-concurrency --function-name "$prepare" --reserved-concurrent-executions 0 >/dev/null
say "   $prepare may not run any more"
for file in "$work"/files/*_"${date//-/}".*; do
  aws s3 cp --only-show-errors "$file" "s3://$landing/$mode/$(basename "$file")"
done
await "the import to start" started
arn=${machine/:stateMachine:/:execution:}:$import
say "   $import runs"
await "the execution to fail" ended
[ "$(execution status)" = FAILED ] || die "the execution is $(execution status) instead of FAILED: $arn"
await "the registry to say so" settled échoué
say "   it failed: $(items "IMPORT#$import" META 'Items[].[state.S, fault.S]' | tr '\t' ' ')"
finished >"$work/before"

restore
say "== Redrive"
aws stepfunctions redrive-execution --execution-arn "$arn" >/dev/null
await "the execution to end" ended
await "the registry to say so" settled réussi
finished >"$work/after"

say "== Verdict"
check "status" SUCCEEDED "$(execution status)"
check "redriveCount" 1 "$(execution redriveCount)"
check "executions of this import" "$arn" "$(aws stepfunctions list-executions --state-machine-arn "$machine" --output text \
  --query "executions[?starts_with(name, '$import')].executionArn" | tr '\t' ' ')"
for run in $(aws stepfunctions list-map-runs --execution-arn "$arn" --output text --query 'mapRuns[].mapRunArn'); do
  label=${run##*/} label=${label%%:*}
  case $label in Raw | Enrich) want=0 ;; *) want=1 ;; esac
  read -r redrives total succeeded <<<"$(aws stepfunctions describe-map-run --map-run-arn "$run" --output text \
    --query '[redriveCount, itemCounts.total, itemCounts.succeeded]')"
  check "redrives of the Map Run $label" "$want" "$redrives"
  check "chunks of the Map Run $label that succeeded" "$total" "$succeeded"
  twice=0
  for child in $(aws stepfunctions list-executions --map-run-arn "$run" --output text --query 'executions[].executionArn'); do
    repeated=$(aws stepfunctions get-execution-history --execution-arn "$child" --no-include-execution-data --output text \
      --query 'events[?stateExitedEventDetails].stateExitedEventDetails.name' | tr '\t' '\n' | sort | uniq -d | wc -l)
    twice=$((twice + repeated))
  done
  check "steps of the Map Run $label that a chunk did twice" 0 "$twice"
done
check "units done before the failure" yes "$([ -s "$work/before" ] && echo yes || echo none)"
check "of them done again after it" 0 "$(comm -23 "$work/before" "$work/after" | wc -l)"
check "attempts" "start file, resume console" "$(items "IMPORT#$import" ATTEMPT# 'Items[].[kind.S, trigger.S]' | tr '\t' ' ' | paste -sd, | sed 's/,/, /g')"
check "reserved concurrency of Prepare" "$before" "$(aws lambda get-function-concurrency --function-name "$prepare" --output text --query ReservedConcurrentExecutions)"

say "== Left behind"
say "   $import, published: its rows in final, etl and staging of the database; its report in the work bucket;"
say "   its files in s3://$landing/$mode/ (*_${date//-/}.csv); its items in $table. The function is as it was."
if [ "$bad" -gt 0 ]; then
  say "FAILED: $bad checks"
  exit 1
fi
say "PASSED: Step Functions redrives an import of $stack as the product counts on"
