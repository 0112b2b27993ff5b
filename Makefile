# make help lists the targets. Everything is repeatable: interrupted, it goes on where it stopped.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help download demo towers towers197 bundle test lint format config check benchmarks clean env env-dev

PYTHON ?= python3
CORES ?= $(shell $(PYTHON) -c "import os; print(len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count())")
# 1 where the machine has an NVIDIA GPU, else 0; with 0, small trainings run side by side on the CPU.
GPU ?= $(shell nvidia-smi -L 2>/dev/null | grep -q GPU && echo 1 || echo 0)
# Which torch build: any, cpu or cuda; TORCH_INDEX is the package index that serves it (see docs/dependencies.md).
TORCH ?= any
TORCH_INDEX ?=
# Where make benchmarks measures: cpu or cuda.
DEVICE ?= cpu
# Your own configuration files, put after the target's own: CONFIG=mine.yaml (docs/configuration.md).
CONFIG ?=
# Extra arguments of Snakemake, for example ARGS="-n" or ARGS="--config seeds=[0,1,2]".
ARGS ?=

BIN := .venv/bin
export PYTHONPATH := $(CURDIR)/src
# Snakemake, the report and the summary of a run; argument: the target's own configuration file.
run = $(BIN)/python -m dere run --cores $(CORES) --gpu $(GPU) $(1) $(CONFIG) -- $(ARGS)

help: ## list the targets
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "make %-10s %s\n", $$1, $$2}'
	@echo; echo "Variables: CORES=$(CORES) GPU=$(GPU) TORCH=$(TORCH) (any, cpu, cuda) TORCH_INDEX=<package index>"; \
	echo "           CONFIG=<your files, after the target's own> ARGS=<for Snakemake>"

demo: env ## the whole pipeline on the built-in world: skill table, report, products
	@$(call run)

towers: env ## the same on 166 real towers of FLUXNET2015, which come with the package
	@$(call run,config/towers.yaml)

towers197: env ## real towers of two products, without satellites; needs DERE_REALDATA=<folder of both>
	@$(call run,config/towers197.yaml)

bundle: env ## the trained bundle of the package again, cross-validated and refitted on its 166 towers (docs/trained-bundle.md)
	@$(call run,config/towers.yaml config/real-towers.yaml)
	@$(BIN)/python -m dere pack results/real-towers --out src/dere/resources/trained/real-towers \
	--card docs/trained-bundle.md --overwrite

test: env-dev ## unit tests, and the whole pipeline at tiny size
	@$(BIN)/python -m pytest -q -n $(CORES) --dist loadfile --no-loadscope-reorder --maxprocesses 8 \
	--max-worker-restart 0

lint: env-dev ## formatting, style, types, import order, workflow rules
	$(BIN)/ruff format --check src tests benchmarks workflow/scripts
	$(BIN)/ruff check --no-cache src tests benchmarks workflow/scripts
	$(BIN)/snakefmt --check --compact-diff Snakefile workflow/rules
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/snakemake --lint
	$(BIN)/python -m dere.run_config.render --check config.yaml
	$(BIN)/python -m dere.tables.render --check docs

format: env-dev ## format all code
	$(BIN)/ruff format src tests benchmarks workflow/scripts
	$(BIN)/ruff check --fix src tests benchmarks workflow/scripts
	$(BIN)/snakefmt Snakefile workflow/rules

config: env ## write config.yaml, config/schema.json and the columns in docs/tables.md again
	$(BIN)/python -m dere.run_config.render config.yaml
	$(BIN)/python -m dere.tables.render docs

download: env ## fetch a published data set, or check and list what is there: make download SOURCE=carbonglobe
	@$(if $(SOURCE),$(BIN)/python -m dere download "$(SOURCE)" $(CONFIG) -- $(ARGS),\
	$(PYTHON) workflow/check.py --only-downloads)

check: ## is everything at hand? inputs, disk, Python, expected time
	@$(PYTHON) workflow/check.py $(if $(DERE_REALDATA),--realdata "$(DERE_REALDATA)")

benchmarks: env ## networks against the naive arrangement of the published code; DEVICE=cuda on a GPU (docs/performance.md)
	@for name in encoding frozen_cache members attention driver_memory evaluation roofline; do \
		echo "== $$name"; $(BIN)/python benchmarks/$$name.py --device $(DEVICE) || exit 1; done
	@if [ -d results/demo/data ]; then echo "== switches"; $(BIN)/python benchmarks/switches.py results/demo --device $(DEVICE); \
	else echo "== switches: left out, they need the data of make demo"; fi

clean: ## remove what the pipeline made (results, .snakemake); the environment stays
	rm -rf results .snakemake

env: .venv/.runtime
env-dev: .venv/.development

# The stamp is written last, so an interrupted installation is taken up again.
.venv/.runtime: requirements.lock
	@workflow/environment.sh "$(PYTHON)" requirements.lock "$(TORCH)" "$(TORCH_INDEX)"
	@touch $@

.venv/.development: requirements-dev.lock .venv/.runtime
	@workflow/environment.sh "$(PYTHON)" requirements-dev.lock "$(TORCH)" "$(TORCH_INDEX)"
	@touch $@
