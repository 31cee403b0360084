# Keyturn. `make help` lists the verbs; the work is done in scripts/.

SHELL := /bin/bash
SWIFT ?= swift
export SWIFT
SOURCES := Package.swift Sources Tests

.DEFAULT_GOAL := help
.PHONY: help run test check format lint build release bench fuzz crash demo clean

run: ## install what is missing, build, create ./data on the first start, and serve
	@scripts/install-dependencies.sh run
	@scripts/run.sh

test: ## install what is missing and run all tests; the last line gives the counts
	@scripts/install-dependencies.sh test
	@scripts/run-tests.sh

check: format lint build test ## format, lint, build with warnings as errors, test

lint: ## check the formatting without changing anything
	@$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format: ## format every Swift file in place
	@$(SWIFT) format format --in-place --parallel --recursive $(SOURCES)

build: ## build everything, for debugging
	@scripts/install-dependencies.sh run
	@$(SWIFT) build

release: ## build keyturnd and keyturn, optimized
	@scripts/install-dependencies.sh run
	@$(SWIFT) build -c release --product keyturnd
	@$(SWIFT) build -c release --product keyturn

bench: ## measure and rewrite docs/benchmarks.md (two hours; PART=fetches, large, import, rotation, memory or schedule for less)
	@scripts/install-dependencies.sh bench
	@scripts/bench.sh

fuzz: ## the fuzz tests with a hundred times the iterations (ROUNDS=100); an hour or more
	@scripts/install-dependencies.sh test
	@KEYTURN_FUZZ=$(or $(ROUNDS),100) TEST_TIMEOUT=$(or $(TEST_TIMEOUT),14400) FILTER='[Ff]uzz' scripts/run-tests.sh

crash: ## kill -9, cut and fill the disk, and rewrite the tables of docs/reliability.md (forty minutes; PART=vault, changes, hosts, databases or disk for less)
	@scripts/install-dependencies.sh test
	@scripts/crash.sh

demo: ## play the five-minute story in the terminal
	@scripts/install-dependencies.sh run
	@scripts/demo.sh

clean: ## remove what was built; data directories stay
	@$(SWIFT) package clean

help: ## list the verbs
	@echo 'Keyturn: make run starts a server, make test runs all tests.'
	@echo
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))
