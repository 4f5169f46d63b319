# The two commands of a fresh machine are `make run` and `make test`; both begin with `make setup`.
.DEFAULT_GOAL := help
.PHONY: help setup setup-test run test check lint format bench pmu-compliance constraints image clean

BIN := .venv/bin
CONFIG ?= configs/demo.yaml

help: ## Say what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "make %-12s %s\n", $$1, $$2}' Makefile

setup: ## Install what running needs into .venv; quick when there is nothing to do
	@tools/setup run

setup-test: ## Install what testing needs besides
	@tools/setup test

run: setup ## Run the demo substation (CONFIG=... for another); Ctrl-C ends it
	@exec $(BIN)/gateway run $(CONFIG)

test: setup-test ## Run every check and every test, the container's included
	@tools/test all

check: setup-test ## Run the checks and tests that take a minute or two
	@tools/test quick

lint: setup-test ## Run the linters and the type checker
	@tools/test lint

format: setup-test ## Mend what the linter can mend
	@$(BIN)/ruff check -q --fix . && $(BIN)/ruff format -q .

bench: setup-test ## Measure, each figure beside a reference of the same run
	@$(BIN)/python -m benchmarks $(BENCH)

pmu-compliance: setup-test ## Run the test set of IEC/IEEE 60255-118-1, some minutes, and write docs/pmu-compliance.md
	@$(BIN)/python -m benchmarks.pmu $(PMU)

constraints: setup-test ## Pin the newest releases of all libraries, by version and hash
	@$(BIN)/python -m pip -qq install uv && $(BIN)/python tools/constraints.py

image: ## Build the container image with buildah, podman or docker (BASE_IMAGE=... for another base)
	@tools/image

clean: ## Remove what was made here: .venv, builds, caches; not data
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage .coverage.* htmlcov
	@rm -rf gateway/kernel/_kernel.*.so gateway/kernel/_kernel.c
	@find . -name '*.egg-info' -prune -exec rm -rf {} + -o -name __pycache__ -prune -exec rm -rf {} +
	@if [ -f csrc/Makefile ]; then $(MAKE) -s -C csrc clean; fi
