# `make audit` and `make test` set themselves up: the virtual environment is built when it is missing or stale.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c

PYTHON   ?= python3
VENV     ?= .venv
SCENARIO ?= scenarios/quickstart.toml
ARGS     ?=
BIN      := $(VENV)/bin
READY    := $(VENV)/.ready
# tests start many processes, so bytecode is kept
PYTEST   := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist worksteal

.DEFAULT_GOAL := help
.PHONY: help audit test test-slow fuzz gpu check bench report pictures docs clean

help: ## what can be made
	@echo "spacediff"
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20
	@echo "  SCENARIO=path/to.toml chooses the scenario (default: $(SCENARIO)), ARGS='...' passes arguments through"

audit: $(READY) ## run the scenario and write its report
	@$(BIN)/spacediff audit $(SCENARIO) $(ARGS)

test: $(READY) ## run the tests; takes minutes: 6 to 10 on 2 cores
	@$(PYTEST) $(ARGS)

test-slow: $(READY) ## run what takes long: other environments, every combination, much fuzzing
	@SPACEDIFF_FUZZ=3 $(PYTEST) --timeout 2400 -m "slow or fuzz" $(ARGS)

fuzz: $(READY) ## read 20,000 mangled sources in a process with limits
	@cd tests && $(abspath $(BIN))/python -m support.mangled_sources $(ARGS)

gpu: $(READY) ## run the tests that need an accelerator, in under 10 minutes, and show their figures
	@$(BIN)/python -m pytest tests/gpu -rsP $(ARGS)

check: $(READY) ## lint, formatting, types and the layers of imports
	@$(BIN)/ruff check . && $(BIN)/ruff format --check --quiet . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache

bench: $(READY) ## measure speed against named peers
	@$(BIN)/python -m benchmarks $(ARGS)

report: $(READY) ## draw the scenario's last report again
	@$(BIN)/spacediff report audits/$(basename $(notdir $(SCENARIO))) $(ARGS)

pictures: audit ## take the pictures of the quickstart's report in docs/ again
	@PYTHONPATH=tests $(BIN)/python -m support.picture_report

docs: $(READY) ## build the documentation as a site in site/, without a network; about 20 seconds
	@$(BIN)/python -m docs.site $(ARGS)

clean: ## remove the virtual environment, caches and build products (audits stay)
	rm -rf $(VENV) dist site .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml constraints.txt
	@echo "setting up $(VENV): some minutes and gigabytes the first time"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "spacediff needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --progress-bar off --constraint constraints.txt --editable '.[run]' --group dev \
	  | grep -E '^(Downloading|Processing|Installing|Successfully|ERROR|WARNING: Error)' | cut -c1-160
	@$(BIN)/spacediff --version
	@touch $(READY)
