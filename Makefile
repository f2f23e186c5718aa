# Everything a newcomer needs. `make help` lists it.
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

FUNCTIONS := $(notdir $(patsubst %/main.go,%,$(wildcard functions/*/main.go)))
GOARCH ?= $(shell go env GOHOSTARCH)
LDFLAGS := -s -w -buildid=
STACK := python3 infra/local/stack.py
LOCAL_DIR ?= .local
ETLCTL := build/local/etlctl
WITH_ENV := set -a; . $(LOCAL_DIR)/env; set +a;

.PHONY: help
help: ## Lists the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

.PHONY: build
build: functions tools ## Builds the functions (GOARCH) and the local tools

.PHONY: functions
functions:
	@mkdir -p build/bin
	@CGO_ENABLED=0 GOOS=linux GOARCH=$(GOARCH) go build -trimpath -tags lambda.norpc -ldflags '$(LDFLAGS)' -o build/bin/ ./functions/...
	@for f in $(FUNCTIONS); do mkdir -p build/$$f; cmp -s build/bin/$$f build/$$f/bootstrap || cp build/bin/$$f build/$$f/bootstrap; done

.PHONY: tools
tools:
	@mkdir -p build/local
	@go build -trimpath -o build/local/ ./infra/etlctl ./infra/local/enrichment ./infra/local/sample

.PHONY: up
up: build ## Starts the local stack and deploys template.yaml to it; writes .local/env
	@$(STACK) up

.PHONY: down
down: ## Stops the local stack and keeps its data
	@$(STACK) down

.PHONY: reset
reset: ## Stops the local stack and forgets its data
	@$(STACK) reset
