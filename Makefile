# The verbs of this project. `make run` and `make test` need Python 3.11 to 3.13 and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export HIMS_REAL_DATA := $(if $(HIMS_REAL_DATA),$(abspath $(HIMS_REAL_DATA)))
export PIP_DISABLE_PIP_VERSION_CHECK := 1
.DEFAULT_GOAL := help

.PHONY: help run test test-slow test-r test-spark check docs ui leak-scan attack bench bench-estimates bench-night bench-country walk faults season mutants recompute lock clean

help: ## list the verbs
	@grep -E '^[a-z-]+:.*##' Makefile | awk -F':.*## ' '{printf "make %-14s %s\n", $$1, $$2}'

$(VENV)/.run: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) --version); this needs Python 3.11 to 3.13. Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing the locked packages into $(VENV)"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements.lock
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.run
	@echo "installing the packages for tests and checks"
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $@

$(VENV)/.spark: requirements-spark.lock $(VENV)/.dev
	@echo "installing the packages of Spark"
	@$(BIN)/python -m pip install --quiet --require-hashes --no-deps --requirement requirements-spark.lock
	@touch $@

run: $(VENV)/.run ## set up, take in the sample (and what HIMS_REAL_DATA holds), build and publish a release
	@$(BIN)/hims run --samples

test: $(VENV)/.dev ## set up and run the tests
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -rs

test-slow: $(VENV)/.dev ## the breadth that `make test` leaves out: a draft of every public file, both new countries, a held night, a run killed and gone on elsewhere, a release of another engine's tables, the attack on a night
	@$(BIN)/python -m pytest -n 2 --dist load -rs -m slow

test-r: $(VENV)/.dev ## estimates and errors beside those of R's survey, where R is installed (Debian: r-base-core r-cran-survey)
	@$(BIN)/python -m pytest -rs -m r tests/indicators/test_against_r.py tests/e2e/test_traced_figures.py

test-spark: $(VENV)/.spark ## the sample built on Spark, a cluster of two worker processes, beside DuckDB: every table equal (Debian: openjdk-17-jre-headless)
	@$(BIN)/python -m pytest -rs -m spark tests/engines

bench-estimates: $(VENV)/.dev ## 384 domains of a million records with their errors, beside R's svyby where R is installed
	@$(BIN)/python -m benchmarks.estimates

check: $(VENV)/.dev ## lint: ruff, types, SQL that two engines read
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m tests.architecture.dialect
	@$(BIN)/sqlfluff lint --disable-progress-bar -q dbt_project/models dbt_project/tests

docs: $(VENV)/.run ## write the generated pages under docs/
	@$(BIN)/hims docs

ui: $(VENV)/.run ## Dagster's webserver and daemon on this installation
	@$(BIN)/hims ui

leak-scan: $(VENV)/.dev ## persons in every place of every format, one night, and every byte outside the closed zone searched
	@$(BIN)/python -m tests.privacy.leak_scan

attack: $(VENV)/.run ## what somebody could work out from the public files of all releases, put together
	@$(BIN)/python -m hims_pipeline.disclosure.attack $(FILES)

bench: $(VENV)/.dev ## speed, as ratios measured side by side
	@$(BIN)/python -m benchmarks

bench-night: $(VENV)/.dev ## a full, a monthly and a quiet night, stage by stage (SCALE=0.002 is shorter)
	@$(BIN)/python -m benchmarks.incremental $(or $(SCALE),0.01)

walk: $(VENV)/.dev ## changes one after the other, each build compared with a full one (STEPS=40 SEED=1)
	@$(BIN)/python -m tests.carry.walk $(or $(STEPS),40) $(or $(SEED),1)

bench-country: $(VENV)/.dev ## the synthetic country at full scale: time, memory, control figures (SCALE=0.1 is shorter)
	@$(BIN)/python -m benchmarks.country $(or $(SCALE),1.0)

faults: $(VENV)/.dev ## kills, disk errors and dying children over nights and commands (FAULTS="--kills 50 --nights 5", or --assets)
	@$(BIN)/python -m tests.faults $(FAULTS)

season: $(VENV)/.dev ## thirty nights with nobody there, on a clock of their own (NIGHTS=30 SEED=1)
	@$(BIN)/python -m tests.faults.season $(or $(NIGHTS),30) $(or $(SEED),1)

mutants: $(VENV)/.dev ## what the gate stops of what can be wrong: seeded mutants and honest variants of the sample (MUTANTS="--only rgph")
	@$(BIN)/python -m tests.mutants $(MUTANTS)
	@$(BIN)/python -m tests.mutants --scale 0.1 $(MUTANTS)

recompute: $(VENV)/.run ## published figures made again from the delivered files, by code that shares nothing with the pipeline
	@$(BIN)/python -m recompute

lock: ## resolve the dependencies anew (needs uv)
	uv pip compile pyproject.toml --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --quiet -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --no-strip-extras --python-version 3.11 --generate-hashes --no-emit-index-url --quiet -o requirements-dev.lock

clean: ## remove the environment; data under .hims stays
	rm -rf $(VENV)
