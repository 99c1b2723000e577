# Medley's commands; `make` or `make help` lists them.
#
# PYTHON=python3.12 make setup     builds .venv with another Python (3.11 or newer)
# make test TESTS=tests/unit       runs a part of the tests

PYTHON ?= python3
TESTS ?= tests
UPGRADE ?=
IN_VENV = .venv/bin/python

CHECKS = lint format types imports migrations tidy

.PHONY: help setup demo test kubernetes issuer e2e check lock docs pictures clean develop testbed oidc $(CHECKS:%=check-%)

help: ## List these commands
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

setup: ## Prepare .venv with everything Medley needs to run
	@PYTHON="$(PYTHON)" .ci/setup service

demo: setup ## Start Medley on a simulated mixed cluster and run a training; ONCE=1 ends by itself
	@$(IN_VENV) -m examples.demo

test: develop $(if $(filter tests tests/kubernetes% tests/contract%,$(TESTS)),testbed) $(if $(filter tests tests/oidc%,$(TESTS)),oidc) ## Run all tests, PostgreSQL and Kubernetes included
	@$(IN_VENV) -m pytest $(TESTS)

kubernetes: develop ## Build the Kubernetes that the tests run on, with Go; cached outside of this folder
	@$(IN_VENV) -m tests.kubernetes.testbed.build

issuer: develop ## Install the OIDC server that the tests log in at, with npm; cached outside of this folder
	@$(IN_VENV) -m tests.oidc.testbed.build

e2e: kubernetes ## Install Medley on a real node of this machine and run trainings there; needs root and Debian
	@$(IN_VENV) -m tests.kubernetes.end_to_end.images
	@$(IN_VENV) -m pytest tests/kubernetes/end_to_end

check: $(CHECKS:%=check-%) ## Check style, types, imports, migrations, tidiness and generated pages

lock: ## Write requirements/*.txt from requirements/*.in; UPGRADE=1 takes the newest versions
	@PYTHON="$(PYTHON)" .ci/lock $(if $(UPGRADE),--upgrade)

docs: setup ## Write the generated pages of docs/
	@$(IN_VENV) -m docs.generate

pictures: develop ## Make the screenshots of the dashboard in docs/ anew, with Chromium
	@$(IN_VENV) -m tests.browser.pictures

clean: ## Remove .venv and all caches; what the demo stored in .medley stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
	find . -name __pycache__ -prune -exec rm -rf {} + -o -name '*.egg-info' -prune -exec rm -rf {} +

# Like `kubernetes`, but where that cannot be built the tests go on without it and say so at their end.
testbed: develop
	@$(IN_VENV) -m tests.kubernetes.testbed.build --if-possible

oidc: develop
	@$(IN_VENV) -m tests.oidc.testbed.build --if-possible

develop:
	@PYTHON="$(PYTHON)" .ci/setup develop

check-lint: develop
	@echo "== lint"
	@$(IN_VENV) -m ruff check .

check-format: develop
	@echo "== format"
	@$(IN_VENV) -m ruff format --check .

check-types: develop
	@echo "== types"
	@$(IN_VENV) -m mypy

check-imports: develop
	@echo "== imports"
	@$(IN_VENV) -c 'import sys; from importlinter.cli import lint_imports_command as check; sys.argv[0] = "lint-imports"; check()'

check-migrations: develop
	@echo "== migrations, on both databases"
	@$(IN_VENV) -m pytest -q tests/migration

check-tidy: develop
	@echo "== tidiness and generated pages"
	@$(IN_VENV) -m pytest -q tests/architecture
