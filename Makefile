# Every target sets up what it needs. All that a machine must have is Python 3.11 or newer with venv, make and git.
.DEFAULT_GOAL := help
.PHONY: help install run test fuzz check format bench pictures clean

PYTHON ?= python3
BIN := .venv/bin
UV := UV_PYTHON_DOWNLOADS=never $(BIN)/uv
UV_VERSION := $(shell sed -n 's/.*"uv==\([0-9.]*\)".*/\1/p' pyproject.toml)
# One more than there are cores, since tests mostly wait.
WORKERS ?= $(shell echo $$(($$(getconf _NPROCESSORS_ONLN) + 1)))

help: ## Say what there is
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' Makefile | expand -t 12

$(BIN)/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Flashbulb needs Python 3.11 or newer. Name one: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 2; }
	@$(PYTHON) -m venv .venv \
		|| { echo "Python's venv module is missing. On Debian: apt install python3-venv"; exit 2; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

# Without the tools for development, so that a first start is quick.
.venv/.runs: pyproject.toml uv.lock | $(BIN)/uv
	@$(UV) sync --frozen --inexact --no-dev --all-extras --quiet
	@touch $@

.venv/.develops: pyproject.toml uv.lock | $(BIN)/uv
	@$(UV) sync --frozen --inexact --all-extras --quiet
	@touch $@ .venv/.runs

install: .venv/.develops ## Set up .venv with everything, also the tools for development

run: .venv/.runs ## Start Flashbulb; open the link that it prints
	@$(BIN)/flashbulb run

# Tests make thousands of small databases: in memory where the machine has room for that.
ROOM := $(shell df --output=avail /dev/shm 2>/dev/null | tail -n 1)
TEST_TMP := $(if $(shell [ -w /dev/shm ] && [ $(or $(ROOM),0) -gt 4000000 ] && echo yes),/dev/shm,$(or $(TMPDIR),/tmp))

# File by file, as they come: otherwise the files with few tests come last, and those are the long ones.
test: .venv/.develops ## Run all tests; what this machine lacks is left out and said
	@PYTHONDONTWRITEBYTECODE= TMPDIR=$(TEST_TMP) $(BIN)/pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

fuzz: .venv/.develops ## Read 100,000 damaged files, from a new seed each time
	@FUZZ_FILES=$${FUZZ_FILES:-100000} FUZZ_SEED=$${FUZZ_SEED:-$$(date +%s)} $(BIN)/pytest -q tests/media/test_fuzz.py

check: .venv/.develops ## Format, lint, strict types, import direction, documentation
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(UV) lock --check --quiet
	@$(UV) lock --check --quiet --project bench/baseline
	@$(BIN)/pytest -q tests/docs

format: .venv/.develops ## Format the code and mend what can be mended
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: .venv/.develops ## Measure, everything or what is named (make bench uploads); print a table, write bench/results/
	@$(BIN)/python -m bench $(ROWS)

# What follows `bench` is what to measure, not a target.
ROWS := $(filter-out bench,$(if $(filter bench,$(MAKECMDGOALS)),$(MAKECMDGOALS)))
ifneq ($(ROWS),)
.PHONY: $(ROWS)
$(ROWS): bench
	@:
endif

pictures: .venv/.develops ## Make the pictures of the documentation anew (needs Chromium)
	@$(BIN)/python -m bench.pictures

clean: ## Remove .venv and caches; the data folder stays
	@rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
