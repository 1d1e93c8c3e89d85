# make run: the app on localhost:8501. make test: everything that tests need, and the whole suite. make help: the rest.
# A virtual environment in .venv is made by itself, and again when the requirements change.

VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8501
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test test-all check format lint types imports screenshots clean

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "make %-11s %s\n", $$1, $$2}'

run: $(VENV)/.run ## install what is needed, then serve the app on localhost:8501 (PORT=... for another)
	@$(BIN)/streamlit run app.py --server.port $(PORT)

# One process a core, but for what drives a browser: that waits for a page, and a page for a free core.
SIDE_BY_SIDE := -n logical --maxprocesses 8 --dist loadfile

test: $(VENV)/.test ## install what tests need, then run the whole suite but what is marked slow
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not slow and not browser"
	@$(BIN)/python -m pytest -m "not slow and browser"

test-all: $(VENV)/.test ## the whole suite, slow tests included
	@$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m "not browser"
	@$(BIN)/python -m pytest -m browser

check: format lint types imports ## format, lint, types, import contract

format: $(VENV)/.test ## is every file formatted? (ruff format mends it)
	@$(BIN)/ruff format --check .

lint: $(VENV)/.test ## ruff
	@$(BIN)/ruff check .

types: $(VENV)/.test ## mypy, strict on core
	@$(BIN)/mypy

imports: $(VENV)/.test ## imports point one way
	@$(BIN)/lint-imports --no-logo

screenshots: $(VENV)/.test ## photograph the application on the finished results in cache/
	@$(BIN)/python -m tools.screenshots

clean: ## remove the virtual environment and the tools' caches; results in cache/ stay
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

$(VENV)/.run: requirements.txt tools/install_torch.py tools/make_venv.sh
	@tools/make_venv.sh $(VENV) requirements.txt
	@touch $@

$(VENV)/.test: requirements.txt requirements-dev.txt tools/install_torch.py tools/make_venv.sh
	@tools/make_venv.sh $(VENV) requirements-dev.txt
	@tools/get_browser.sh $(VENV)
	@touch $@ $(VENV)/.run
