# Every target sets up what it needs: `make demo` and `make test` work in a fresh clone.
# Another Python: make test PYTHON=python3.13 (after `make clean`).

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
# Twice quiet: errors only.
PIP := $(BIN)/python -m pip --quiet --quiet --disable-pip-version-check --no-input

DEMO := trimtab-demo
TESTS ?=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint format types imports docs reference pictures bench setup clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name does; do printf '  make %-9s %s\n' "$$name" "$$does"; done

demo: $(VENV)/.ready-to-run  ## show trimtab at work, in the folder trimtab-demo
	@echo "The demonstration writes into the folder $(DEMO)."
	@$(BIN)/trimtab demo --into $(DEMO)

test: $(VENV)/.ready-to-develop  ## run the tests and every example of the documentation
	@$(BIN)/pytest --numprocesses=auto --dist=loadfile $(TESTS)

lint: $(VENV)/.ready-to-develop  ## check format and style
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .

format: $(VENV)/.ready-to-develop  ## rewrite the files in the one format
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

types: $(VENV)/.ready-to-develop  ## check the types
	@$(BIN)/mypy

imports: $(VENV)/.ready-to-develop  ## check the direction of imports
	@$(BIN)/lint-imports

docs: reference  ## build the documentation into site/, strictly
	@$(BIN)/zensical build --strict --clean

reference: $(VENV)/.ready-to-develop
	@$(BIN)/python docs/generate_reference.py

pictures: $(VENV)/.ready-to-develop  ## draw the pictures of docs/how-to anew
	@$(BIN)/python docs/make_pictures.py

bench: $(VENV)/.ready-to-develop  ## run the benchmarks
	@set -e; found=no; for script in benchmarks/bench_*.py benchmarks/*/bench_*.py; do \
	  if [ -f "$$script" ]; then found=yes; echo "$$script"; $(BIN)/python "$$script"; fi; \
	done; if [ $$found = no ]; then echo "There is no benchmark in benchmarks/ yet."; fi

setup: $(VENV)/.ready-to-develop  ## make .venv with all that development needs

clean:  ## remove the environment, the caches and what was built
	rm -rf $(VENV) .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .cache
	rm -rf build dist site docs/reference/generated $(DEMO)
	find src tests docs benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# The environment: first what running needs, which is quick, then what development needs.
# A stamp is newer than the files that it stands for, so a second call does nothing.

$(VENV)/.ready-to-run: requirements/run.txt pyproject.toml | $(BIN)/python
	@echo "Installing trimtab and what it needs into $(VENV) ..."
	@$(PIP) install --requirement requirements/run.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.ready-to-develop: requirements/dev.txt $(VENV)/.ready-to-run
	@echo "Installing the development tools into $(VENV) ..."
	@$(PIP) install --requirement requirements/dev.txt
	@touch $@

$(BIN)/python:
	@set -e; \
	for candidate in $(or $(PYTHON),python3.11 python3); do \
	  if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$("$$candidate" --version) ..."; \
	    "$$candidate" -m venv $(VENV) || { rm -rf $(VENV); \
	      echo "$$candidate cannot make a virtual environment; install its venv module (on Debian: python3-venv)." >&2; exit 1; }; \
	    exit 0; \
	  fi; \
	done; \
	echo "trimtab needs Python 3.11 or newer, and none was found as: $(or $(PYTHON),python3.11 python3). Install one, or name it: make $(or $(MAKECMDGOALS),demo) PYTHON=/path/to/python" >&2; \
	exit 1
