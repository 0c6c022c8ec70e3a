# Every verb sets up what it needs. `make help` lists them.
SHELL := /usr/bin/env bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test lint format bench lab ui docs lock clean
BIN := .venv/bin
export WORKBENCH_ROOT := $(CURDIR)

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: ## Make .venv from requirements.lock (nothing to do when it is current)
	@.ci/setup

demo: setup ## Run the main job on embedded data: a promotion report, no key, no server
	@$(BIN)/workbench run experiments/lead_conversion/demo.yaml

test: setup ## Run the whole test suite
	@$(BIN)/python -m pytest -n 2 --dist loadfile

lint: setup ## What CI checks besides tests: ruff, mypy --strict, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --verbose

format: setup ## Rewrite the code in the house style
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

bench: setup ## Measure the figures the README quotes (minutes; writes benchmarks/results)
	@$(BIN)/python -m benchmarks

lab: setup ## Open JupyterLab on the notebooks
	@$(BIN)/jupyter lab --notebook-dir notebooks

ui: setup ## Start the MLflow dashboard on this machine (lean: one worker)
	@$(BIN)/workbench ui

docs: setup ## Rewrite the generated parts of the documentation
	@$(BIN)/python docs/generate.py

# Named by the weights' package, never installed: see [tool.uv] in pyproject.toml.
UNUSED := sentence-transformers torch transformers networkx sympy mpmath regex setuptools

lock: setup ## Resolve requirements.lock anew from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra embeddings --extra languages --extra redis --extra spark --universal --generate-hashes \
		--no-emit-index-url --no-annotate --no-header $(UNUSED:%=--no-emit-package %) \
		--output-file requirements.lock

clean: ## Remove what was made here (the environment, caches; never mlruns)
	rm -rf .venv .mypy_cache .ruff_cache .hypothesis build dist
