.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
# pytest's own choice of processes: one a core
T ?= tests
export PIP_DISABLE_PIP_VERSION_CHECK := 1

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## create .venv with exactly the pinned packages

$(INSTALLED): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed: make PYTHON=python3.11 ..."; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --require-hashes -r requirements/dev.txt
	@# setuptools warns of what an editable install is: that is what is wanted here.
	PYTHONWARNINGS=ignore $(BIN)/pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED) ## start everything with demo data and play the main job (PORT=8000, RESET=1 starts afresh)
	@$(BIN)/traverse demo $(if $(PORT),--port $(PORT)) $(if $(RESET),--reset) $(DEMO_ARGS)

run: $(INSTALLED) ## the same without the play: engines, sandbox, API and worker
	@$(BIN)/traverse demo --no-play $(if $(PORT),--port $(PORT)) $(if $(RESET),--reset)

test: $(INSTALLED) ## run the tests (T=tests/unit for a part)
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder $(T)

check: $(INSTALLED) ## everything that CI checks but the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/pyright
	$(BIN)/traverse schema --check
	$(BIN)/traverse migrate --check
	$(BIN)/python -m docs.generate --check
	$(BIN)/python -m supply_chain.pins
	$(BIN)/python -m supply_chain.secrets
	$(BIN)/traverse operations check examples/spa/operations --manifest examples/spa/operations.json

audit: $(INSTALLED) ## ask PyPI's advisories about the pinned packages (needs the network)
	$(BIN)/uv tool run --from pip-audit==2.10.1 pip-audit --strict --require-hashes --disable-pip -r requirements/dev.txt

fix: $(INSTALLED) ## repair what a machine can: format, imports, printed schema, generated pages
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/traverse schema --write
	$(BIN)/python -m docs.generate

bench: $(INSTALLED) ## measure, side by side in one run
	$(BIN)/python -m benchmarks

lock: $(INSTALLED) ## compile the pinned requirements from pyproject.toml
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock" pyproject.toml -o requirements/server.txt
	$(BIN)/uv pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 --custom-compile-command "make lock" pyproject.toml --group dev -o requirements/dev.txt

.PHONY: help install demo run test check audit fix bench lock
