# `make help` lists what there is. Everything is installed into .venv; nothing outside this folder is changed, but
# that setup installs Debian's python3-venv and the tests' Chromium where they lack and we may.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all:

FURTHER_CASES ?= 900

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench soak docs translations sbom format clean
.DELETE_ON_ERROR:

help: ## List the commands
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/  make \1\t\2/' | expand -t 20

setup: $(VENV)/.installed ## Make .venv with the pinned dependencies

run: setup ## Serve the site on http://127.0.0.1:8000
	@$(BIN)/omniracle serve

test: export PYTHONDONTWRITEBYTECODE =  # where Python is told to keep nothing, every process would compile everything
test: $(VENV)/.installed-dev ## Run all tests, with Chromium, nginx and PostgreSQL
	@.ci/chromium || true
	@.ci/nginx || true
	@.ci/postgresql || true
	@$(BIN)/python -m pytest -n auto --dist loadgroup --no-loadscope-reorder --engines all --further-cases $(FURTHER_CASES)

check: $(VENV)/.installed-dev ## Lint, types, layers, known weaknesses of dependencies
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python .ci/audit.py

format: $(VENV)/.installed-dev ## Format the code
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench: $(VENV)/.installed-dev ## Measure starting, memory, importing, searching, relevance and pages (these with wrk)
	@$(BIN)/python bench/start.py
	@$(BIN)/python bench/library.py
	@$(BIN)/python bench/search_speed.py
	@$(BIN)/python bench/search_engines.py
	@$(BIN)/python bench/relevance.py
	@$(BIN)/python bench/pages.py
	@$(BIN)/python bench/saving.py
	@$(BIN)/python bench/load.py

soak: $(VENV)/.installed-dev ## Try all faults on one host, then on three with each engine, while people write (MINUTES=5)
	@.ci/nginx || true
	@.ci/postgresql || true
	@$(BIN)/python -m tests.soak --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED))
	@$(BIN)/python -m tests.soak.hosts --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED))
	@$(BIN)/python -m tests.soak.hosts --minutes $(or $(MINUTES),5) $(if $(SEED),--seed $(SEED)) --search postgresql

docs: setup ## Write the tables of settings in docs/configuration.md from the code
	@$(BIN)/python docs/generate.py

translations: setup ## Put new texts of the site into every catalogue in app/web/translations
	@$(BIN)/python .ci/translations.py

sbom: $(VENV)/.installed ## Write what the site is made of into sbom.json (CycloneDX)
	@$(BIN)/python .ci/sbom.py sbom.json

clean: ## Remove .venv and caches; the data in var/ stays
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(VENV)/.installed: .ci/requirements.txt pyproject.toml .ci/venv
	@.ci/venv "$(PYTHON)" "$(VENV)"
	@$(PIP_INSTALL) -r .ci/requirements.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m compileall -q app  # else each start would, where Python is told to keep nothing
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed .ci/requirements-dev.txt
	@$(PIP_INSTALL) -r .ci/requirements-dev.txt
	@touch $@
