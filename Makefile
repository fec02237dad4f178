# Run "make" for a list of targets. Every target sets up what it lacks: a bare clone needs Python
# 3.11 or newer with its venv module, and make. All paths are relative, so a folder with spaces works.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PY := .venv/bin/python
STAMP := .venv/.setup-done

.PHONY: help setup demo test lint package bench bench-peers mutation lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name what; do \
		printf '  make %-11s %s\n' "$$name" "$$what"; done

setup: $(STAMP) ## make .venv with everything that the other targets need

# The stamp is newer than what .venv was made from: a change of either makes it anew.
$(STAMP): requirements-dev.txt pyproject.toml tests/judge/peer-requirements.txt tools/venv.sh
	@bash tools/venv.sh
	@touch $@

demo: setup ## a guided tour: an account with leaking roles, audited
	@$(PY) tools/demo.py

test: setup ## run the tests
	@$(PY) -m pytest -n 2 --dist loadfile

lint: setup ## check the format, the style and the types
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy

package: setup ## build and check out/deployment.zip and out/sam.yaml
	@$(PY) tools/package.py

bench: setup ## measure, and print the table
	@$(PY) bench/run.py

bench-peers: setup ## measure other tools beside the auditor, each in its own environment
	@$(PY) bench/peers.py

# SAMPLE=25 SEED=2 make mutation: other changes, or fewer
mutation: setup ## change the decision in small wrong ways: do the tests notice?
	@$(PY) tools/mutation.py --sample $${SAMPLE:-300} --seed $${SEED:-1}

lock: setup ## pin requirements-dev.in anew into requirements-dev.txt
	@.venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links \
		--python-version 3.11 --no-annotate --custom-compile-command "make lock" \
		requirements-dev.in -o requirements-dev.txt

clean: ## remove everything that was made here
	@rm -rf .venv out build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find auditor chalicelib tests tools bench -type d -name __pycache__ -prune -exec rm -rf {} +
