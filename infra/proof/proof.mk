# What proves the product beyond `make test`: faults, hostilities, the oracle at scale, benchmarks.

.PHONY: e2e
e2e: build ## Runs the end-to-end tests alone, or those of the name RUN=, on a fresh stack; SHUFFLE=on in a random order
	@infra/proof/test.sh e2e '$(RUN)'

.PHONY: fuzz
FUZZTIME ?= 60s
fuzz: ## Runs every fuzz target for FUZZTIME=, on the local stack's PostgreSQL
	@$(LOCAL_STACK) postgres
	@set -a; . $(LOCAL_DIR)/env; set +a; \
	for target in $$(grep -rlE '^func Fuzz' --include=*_test.go internal infra | xargs -n1 dirname | sort -u); do \
	  for name in $$(grep -rhoE '^func Fuzz[A-Za-z]+' $$target | sed 's/func //'); do \
	    echo "== $$target $$name"; \
	    go test ./$$target -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x; done; done

CELL ?=
PUBLISH ?=
.PHONY: chaos
chaos: build ## Runs the fault matrix, or its cells CELL=STEP/FAULT/MODE (* is any); PUBLISH=1 updates docs/chaos.md
	@go run ./infra/proof/chaos $(if $(PUBLISH),-publish docs/chaos.md) $(if $(CELL),'$(CELL)')

.PHONY: hostile
hostile: build ## Runs what hostile people and accounts do, or some of it CELL=NAME/MODE; PUBLISH=1 updates docs/chaos.md
	@go run ./infra/proof/chaos -hostile $(if $(PUBLISH),-publish docs/chaos.md) $(if $(CELL),'$(CELL)')

SMALL ?=
.PHONY: nights
nights: build ## Runs the bad nights of the source of enrichment by the real clock (an hour), or some CELL=NAME; SMALL=1 with few records; PUBLISH=1 updates docs/enrichment/faults.md
	@go run ./infra/proof/chaos -nights $(if $(SMALL),-small) $(if $(PUBLISH),-publish docs/enrichment/faults.md) $(CELL)

.PHONY: full
full: build ## Runs the proofs that take longer than make test: PostgreSQL 15, a SOAP peer, the whole fault matrix, the hostilities, the bad nights, 200,000 clients against the oracle
	@$(MAKE) --no-print-directory postgres15
	@$(MAKE) --no-print-directory peers
	@$(MAKE) --no-print-directory chaos
	@$(MAKE) --no-print-directory hostile
	@$(MAKE) --no-print-directory nights
	@$(MAKE) --no-print-directory proof ROWS=200000

.PHONY: postgres15
postgres15: ## Runs the tests of migrations, statements and logins on PostgreSQL 15, the oldest version supported
	@infra/proof/postgres15.sh

.PHONY: peers
peers: ## Has the loader ask a SOAP service by Apache CXF; needs Maven and Java 17
	@infra/proof/soap/cxf.sh

bench proof bench-rules bench-ceiling: ROWS ?= 1000000
.PHONY: bench
bench: build ## Measures an initial import of ROWS= clients (1 million) and a day after it
	@go run ./infra/proof/bench speed -rows $(ROWS)

.PHONY: bench-memory
bench-memory: build ## Measures the peak memory of each function over files of 1 GB and 4 GB
	@go run ./infra/proof/bench memory -gb 1,4

.PHONY: proof
proof: build ## Holds every reject of two imports of ROWS= clients (1 million) against the oracle, in the database and in the log
	@go run ./infra/proof/bench proof -rows $(ROWS)

.PHONY: bench-rules
bench-rules: build ## Measures uniqueness and relations of ROWS= clients (1 million) against hand-written SQL, and trees of ROWS= records
	@go run ./infra/proof/bench rules -rows $(ROWS)

DAYS ?= 100000,500000,1000000,2000000
.PHONY: bench-ceiling
bench-ceiling: build ## Measures days of DAYS= records onto a history of ROWS= clients: how Publish grows
	@go run ./infra/proof/bench ceiling -rows $(ROWS) -days $(DAYS)

.PHONY: bench-enrich
bench-enrich: build ## Measures how many records a second one function of Enrich completes, on the local stack's PostgreSQL and the stand-in
	@$(LOCAL_STACK) postgres
	@set -a; . $(LOCAL_DIR)/env; set +a; go test ./internal/phase -run '^$$' -bench BenchmarkEnrichUnit -benchtime 5x

.PHONY: bench-code
bench-code: ## Runs the Go benchmarks of the hot paths
	@go test -run '^$$' -bench . -benchmem ./internal/record ./internal/protection ./internal/copybinary ./internal/validation
