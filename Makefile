# Everything a newcomer needs. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

FUNCTIONS := $(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go)))
GOARCH ?= $(shell go env GOHOSTARCH)
LDFLAGS := -s -w -buildid=
LOCAL_STACK := python3 infra/local/stack.py
LOCAL_DIR ?= .local
ETLCTL := build/local/etlctl
# The operator's commands work on the local stack, or on the stack AWS_STACK= of
# the AWS account of the environment.
AWS_STACK ?=
ifeq ($(AWS_STACK),)
WITH_ENV := grep -qs ^AWS_ENDPOINT_URL= $(LOCAL_DIR)/env || { echo "The local stack is not up: run make up first, or name a stack of your AWS account: AWS_STACK=…" >&2; exit 1; }; set -a; . $(LOCAL_DIR)/env; set +a;
else
WITH_ENV :=
ETLCTL += --stack $(AWS_STACK)
endif

.PHONY: help
help: ## Lists the targets
	@grep -hE '^[a-z0-9 -]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 26

.PHONY: demo
demo: up ## Imports a small history, then the next day at each call, following both
	@$(WITH_ENV) LOCAL_DIR=$(LOCAL_DIR) infra/local/demo.sh

PKG ?=
RUN ?=
.PHONY: test
test: $(if $(PKG),,build) ## Runs everything: lint, docs check, unit, integration and end-to-end tests; or the tests RUN= of PKG=
	@infra/proof/test.sh $(if $(PKG),package '$(PKG)' '$(RUN)')

.PHONY: unit
unit: ## Runs the tests that need no service, with the race detector
	@go test -race -short ./...

.PHONY: up
up: build ## Starts the local stack and deploys template.yaml to it; writes .local/env
	@$(LOCAL_STACK) up

.PHONY: down
down: ## Stops the local stack and keeps its data
	@$(LOCAL_STACK) down

.PHONY: reset
reset: ## Stops the local stack and forgets its data
	@$(LOCAL_STACK) reset
	@rm -rf $(LOCAL_DIR)/demo

.PHONY: import
import: $(if $(AWS_STACK),tools,up) ## Uploads the files of DIR= in MODE=initial|daily and follows the import
	@test -n "$(DIR)" || { echo "Say which folder: make import MODE=$(MODE) DIR=…" >&2; exit 2; }
	@$(WITH_ENV) $(ETLCTL) import --mode $(MODE) --dir $(DIR)

.PHONY: status
status: tools ## Shows the imports, or the one of IMPORT_ID=
	@$(WITH_ENV) $(ETLCTL) status $(IMPORT_ID)

.PHONY: errors
errors: tools ## Shows the rejects of IMPORT_ID=, counts by rule first
	@test -n "$(IMPORT_ID)" || { echo "Say which import: make errors IMPORT_ID=…" >&2; exit 2; }
	@$(WITH_ENV) $(ETLCTL) errors $(IMPORT_ID)

.PHONY: redrive restart abandon
redrive restart abandon: tools ## Goes on with, starts over, or gives up the import of IMPORT_ID=; CONTINUE=1 redrives in a new execution, FORCE=1 restarts even what succeeded
	@test -n "$(IMPORT_ID)" || { echo "Say which import: make $@ IMPORT_ID=…" >&2; exit 2; }
	@$(WITH_ENV) $(ETLCTL) $@ $(IMPORT_ID) $(if $(CONTINUE),--continue) $(if $(FORCE),--force)

.PHONY: enrich
enrich: tools ## Asks the sources again for the records of IMPORT_ID= that were published without enrichment; SOURCE= asks only one
	@test -n "$(IMPORT_ID)" || { echo "Say which import: make $@ IMPORT_ID=…" >&2; exit 2; }
	@$(WITH_ENV) $(ETLCTL) $@ $(IMPORT_ID) $(if $(SOURCE),--source $(SOURCE))

.PHONY: build
build: functions tools ## Builds the functions (GOARCH) and the local tools

.PHONY: functions
functions:
	@mkdir -p build/bin
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) go build -trimpath -tags lambda.norpc -ldflags '$(LDFLAGS)' -o build/bin/ ./functions/...
	@for f in $(FUNCTIONS); do mkdir -p build/$$f; cmp -s build/bin/$$f build/$$f/bootstrap || cp build/bin/$$f build/$$f/bootstrap; done

.PHONY: tools
tools: ## Builds the operator's command and the local tools into build/local
	@mkdir -p build/local
	@go build -trimpath -o build/local/ ./infra/etlctl ./infra/local/enrichment ./infra/local/front ./infra/local/sample

SEED ?= 1
DATE ?= 2024-10-07
FAULTS ?= 0
MODE ?= initial
HISTORY_ROWS ?= 0
OUT ?= $(LOCAL_DIR)/sample/$(DATE)
.PHONY: sample
sample: ROWS ?= 1000
sample: tools ## Makes the ten files: ROWS= SEED= DATE= FAULTS= MODE= HISTORY_ROWS= OUT=
	@build/local/sample -rows $(ROWS) -seed $(SEED) -date $(DATE) -faults $(FAULTS) -mode $(MODE) -history-rows $(HISTORY_ROWS) -out $(OUT)
	@echo "The files are in $(OUT)"

LINT := go tool -modfile=infra/tools/go.mod golangci-lint
.PHONY: lint
lint: ## Checks the code and the template
	@$(LOCAL_STACK) venv
	@$(LINT) run ./...
	@SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=eu-west-1 .local/venv/bin/sam validate --lint --template template.yaml >/dev/null

.PHONY: format
format: ## Formats the code
	@$(LINT) fmt ./...

.PHONY: docs
docs: ## Regenerates the generated documents
	@go run ./infra/docs

STACK_NAME ?= etl-dataloader
.PHONY: deploy
deploy: ## Deploys to the AWS account of the environment: DATABASE_SECRET_ARN= OWNER_SECRET_ARN= ENRICHMENT_CLIENTS_URL= ENRICHMENT_PRODUCTS_URL= ENRICHMENT_STORES_SECRET_ARN= ENRICHMENT_CLIENTS_SECRET_ARN= ENRICHMENT_PRODUCTS_SECRET_ARN= STACK_NAME=
	@test -n "$(DATABASE_SECRET_ARN)" -a -n "$(OWNER_SECRET_ARN)" -a -n "$(ENRICHMENT_CLIENTS_URL)" -a -n "$(ENRICHMENT_PRODUCTS_URL)" -a -n "$(ENRICHMENT_STORES_SECRET_ARN)" || \
	  { echo "Set DATABASE_SECRET_ARN, OWNER_SECRET_ARN, ENRICHMENT_CLIENTS_URL, ENRICHMENT_PRODUCTS_URL and ENRICHMENT_STORES_SECRET_ARN; docs/deploy.md explains them." >&2; exit 2; }
	@$(MAKE) functions GOARCH=arm64
	@$(LOCAL_STACK) venv
	@.local/venv/bin/sam deploy --template-file template.yaml --stack-name $(STACK_NAME) --resolve-s3 --capabilities CAPABILITY_IAM \
	  --no-fail-on-empty-changeset --parameter-overrides DatabaseSecretArn=$(DATABASE_SECRET_ARN) OwnerSecretArn=$(OWNER_SECRET_ARN) EnrichmentClientsUrl=$(ENRICHMENT_CLIENTS_URL) \
	  EnrichmentProductsUrl=$(ENRICHMENT_PRODUCTS_URL) EnrichmentStoresSecretArn=$(ENRICHMENT_STORES_SECRET_ARN) \
	  $(if $(ENRICHMENT_CLIENTS_SECRET_ARN),EnrichmentClientsSecretArn=$(ENRICHMENT_CLIENTS_SECRET_ARN)) \
	  $(if $(ENRICHMENT_PRODUCTS_SECRET_ARN),EnrichmentProductsSecretArn=$(ENRICHMENT_PRODUCTS_SECRET_ARN)) $(PARAMETERS)

include infra/proof/proof.mk
