# Copyright (c) 2026, the eceops.platform authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Everything is made inside this folder (.venv, .nox, .cache); `make clean` removes all of it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-builtin-rules --no-print-directory
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PRECIOUS: .cache/ready/%

ifeq ($(filter 4.3% 4.4% 4.5% 4.6% 5.%,$(MAKE_VERSION)),)
$(error GNU make 4.3 or newer is needed, this is $(MAKE_VERSION))
endif

ifneq ($(words $(CURDIR)),1)
$(error ansible-test does not work in a folder whose path holds white space: $(CURDIR))
endif

# The Python of .venv, 3.11 or newer. The tests find the others, for other releases of ansible-core, by themselves.
PYTHON ?= python3
# How many parts run side by side. With more of them, each takes more of the processors.
JOBS ?= $(shell nproc)

VENV := .venv/bin
READY := .venv/.ready
GOALS := check test test-all
# pip, virtualenv and nox keep their caches here, too.
export PIP_CACHE_DIR := $(CURDIR)/.cache/pip
export XDG_CACHE_HOME := $(CURDIR)/.cache/xdg
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PYTHONPATH :=
# Nothing beside the sources either
export PYTHONDONTWRITEBYTECODE := 1
PARALLEL = $(MAKE) --keep-going --jobs=$(JOBS) --output-sync=target
PARTS = PYTHONPATH=tests $(VENV)/python -B -m tooling.parts

.PHONY: help
help: ## this list
	@awk -F ' *## ' '/^[a-z][a-z-]*:.*## / { sub(":.*", "", $$1); printf "make %-10s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

.PHONY: setup
setup: $(READY) ## the virtual environment that drives the rest

$(READY): tests/requirements/venv.txt $(wildcard tests/simulator/requirements.txt)
	@command -v git > /dev/null || { echo "git is needed: it tells which files belong to the collection" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "$(PYTHON) is not Python 3.11 or newer; name another: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, ssl, venv' || { \
	  echo "$(PYTHON) cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(VENV)/python -m pip install --quiet $(addprefix -r ,$^)
	@touch $@

# The environment of one part, made again only when what it is made of has changed
.cache/ready/%: $(READY) noxfile.py tests/tooling/pythons.py $(wildcard tests/requirements/*.txt)
	@echo "--- $* is set up"
	@$(VENV)/nox --install-only --sessions '$*'
	@mkdir -p $(@D) && touch $@

.PHONY: $(GOALS)
check: ## what takes under two minutes: lint, sanity and unit tests on the newest ansible-core
test: ## every kind of test, on the oldest and the newest ansible-core that the Pythons here run
test-all: ## the same on every ansible-core
$(GOALS): $(READY)
	@rm -rf .cache/results && mkdir -p .cache/results
	@$(VENV)/nox --sessions build
	@parts="$$($(PARTS) list $@)"; \
	measured="$$($(PARTS) measured $@)"; export MEASURED="$$measured"; \
	export ARTIFACT="$$(echo "$$PWD"/.cache/artifact/*.tar.gz)"; \
	$(PARALLEL) $$(printf '.cache/ready/%s ' $$parts) || true; \
	$(PARALLEL) $$(printf 'part-%s ' $$parts) 3>&1 || true; \
	$(PARTS) summary $@

# One part. Its output comes in one piece when it has ended; that it begins is said at once, around the synchronisation.
part-%: .cache/ready/%
	@{ echo "--- $* begins" >&3; } 2> /dev/null || echo "--- $* begins"
	@mkdir -p .cache/results; rm -f '.cache/left-out/$*'; begin=$$SECONDS; outcome=FAILED; \
	if $(VENV)/nox --reuse-existing-virtualenvs --no-install --sessions '$*' 2>&1 3>&-; then outcome=passed; fi; \
	if test -e '.cache/left-out/$*'; then outcome=LEFT-OUT; fi; \
	{ echo "$$outcome $$((SECONDS - begin))"; times; } > '.cache/results/$*'; \
	test $$outcome != FAILED

# It adds up what these have found.
part-coverage: $(addprefix part-,$(MEASURED))

.PHONY: build
build: $(READY) ## the artifact, into .cache/artifact
	@$(VENV)/nox --sessions build

.PHONY: demo
demo: build ## a tour on this machine: a simulated ECE, hosts that join, tokens, a second run without changes
	@PATH="$$PWD/$(VENV):$$PATH" tests/tooling/demo.sh

.PHONY: bench
bench: .cache/ready/bench ## how fast the collection is, beside what people use instead: QUICK=1 in under two minutes
	@$(VENV)/nox --no-install --sessions bench $(if $(QUICK),,-- --full)

.PHONY: docs
docs: .cache/ready/docs ## the documentation site, into .cache/docs: says which file to open
	@$(VENV)/nox --no-install --sessions docs

.PHONY: format
format: .cache/ready/lint ## put the Python code in order
	.nox/lint/bin/ruff check --fix-only --quiet .
	.nox/lint/bin/ruff format .

.PHONY: guide
guide: $(READY) ## the guide "When it fails", from the tables of faults that the tests run
	PYTHONPATH=tests $(VENV)/python -B -m faults.guide

.PHONY: release
release: $(READY) ## the files and the artifact of a release, VERSION=X.Y.Z: says how to publish it
	@PYTHONPATH=tests $(VENV)/python -B -m tooling.release prepare '$(VERSION)'

.PHONY: clean
clean: ## remove everything that make has made
	@if test -d .cache/podman && test -x $(VENV)/python; then PYTHONPATH=tests $(VENV)/python -m testbed.containers --clean; fi
	rm -rf .venv .nox .cache .mypy_cache .ruff_cache tests/output
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
