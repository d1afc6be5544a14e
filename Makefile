# Everything a newcomer needs: `make demo` and `make test` set up what they use.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=

.PHONY: demo test check bot worker bench-engine format pictures clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 14

demo: $(VENV)/.demo ## the whole product in a browser: no token, no network
	$(BIN)/talewright demo $(ARGS)

bot: $(VENV)/.bot ## the bot on Discord (needs DISCORD_TOKEN in .env)
	$(BIN)/talewright bot $(ARGS)

worker: $(VENV)/.worker ## the inference worker, on a GPU where there is one
	$(BIN)/talewright worker $(ARGS)

test: $(VENV)/.dev ## all tests
	$(PYTEST) $(ARGS)

check: $(VENV)/.dev ## format, lint, types, then all tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(PYTEST) $(ARGS)

# Two processes or more, by files, so that what a file's tests share is made once. ARGS="-n 0" runs them in one.
PYTEST := $(BIN)/pytest -n auto --maxprocesses 4 --dist loadfile

BENCH := --model all --report docs/reports
bench-engine: $(VENV)/.bench ## docs/reports/engine.md anew: the engine beside others on this machine (takes hours)
	$(BIN)/talewright bench engine $(BENCH) --workload all --peers all --curves --http --runs 3 $(ARGS)
	$(BIN)/talewright bench speculation $(BENCH)

format: $(VENV)/.dev ## reformat, and fix what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

pictures: $(VENV)/.dev ## the README's and the docs' pictures, taken anew from the demo (needs Chromium)
	$(BIN)/python -m tests.bot.demo.take_pictures

clean: ## forget the environment
	rm -rf $(VENV)

# A stamp for each set of packages; the larger sets hold the smaller ones, so nothing is installed twice.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Talewright needs Python 3.11 or newer; run make PYTHON=python3.12 …")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.dev: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $(VENV)/.dev $(VENV)/.demo $(VENV)/.bench $(VENV)/.worker $(VENV)/.bot

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[demo]'
	touch $(VENV)/.demo $(VENV)/.worker $(VENV)/.bot

$(VENV)/.bench: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	touch $(VENV)/.bench $(VENV)/.worker $(VENV)/.bot

$(VENV)/.worker: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[worker]'
	touch $(VENV)/.worker $(VENV)/.bot

$(VENV)/.bot: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $(VENV)/.bot
