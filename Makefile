# Two commands matter: `make coffee` and `make test`. Everything goes into $(VENV); nothing is compiled.

PYTHON ?= python3
VENV ?= .venv
# For those who want PyTorch's own index of CPU builds: make coffee TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# Which house `make coffee` enters.
SPLIT ?= dev
INDEX ?= 0
VIDEO ?= episodes/coffee.mp4

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INSTALLED := $(VENV)/.doppio-installed

# What `make train` makes, and from what; all of it goes on where it was stopped. Minutes bound the stages: together they
# stay below two hours on two cores.
MODEL ?= assets/checkpoints/world-model.safetensors
RUNS ?= runs
SKILLS := open-cabinet open-drawer open-fridge close-drawer close-cabinet pick-mug pick-pod pick-coffee \
	place-mug serve-coffee place-under-spout insert-pod press-button open-lid close-lid push-door carry-mug

.DEFAULT_GOAL := help
.PHONY: help install coffee train test check format clean

help:
	@echo "make coffee   make coffee in a generated house, print the report, render $(VIDEO)"
	@echo "make train    train the world model from nothing into $(MODEL) (about two hours on two cores)"
	@echo "make test     run all tests"
	@echo "make check    ruff and pyright"
	@echo "make format   let ruff format the code"
	@echo "make install  only create $(VENV) with the pinned packages"
	@echo "make clean    remove caches and $(VENV); episodes stay"

install: $(INSTALLED)

$(INSTALLED): constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version.split()[0]; sys.exit(f"Doppio needs Python 3.11 or newer; $(PYTHON) is {v}. Choose another with make PYTHON=…" if sys.version_info < (3, 11) else 0)'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
# torch first: what depends on it must find the chosen build instead of fetching another.
	$(PIP) install --progress-bar off -c constraints.txt $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX) --no-deps) torch
# Without build isolation the build too uses the pinned versions.
	$(PIP) install --progress-bar off -c constraints.txt hatchling editables
	$(PIP) install --progress-bar off -c constraints.txt --no-build-isolation -e '.[dev]'
	@touch $@

# Also a failed run gets its video. Status 3 of replay: no OpenGL here; it has said so, and that is no failure.
coffee: $(INSTALLED)
	@status=0; \
	$(BIN)/doppio run coffee --split $(SPLIT) --index $(INDEX) || status=$$?; \
	test $$status -le 1 || exit $$status; \
	$(BIN)/doppio replay latest --video $(VIDEO) || test $$? -eq 3 || exit $$?; \
	exit $$status

# Demonstrations (up to 150 of each of 17 tasks, as many as fit into the minutes), training, two rounds in which the learner
# plans and acts and the teacher advises, calibration in new houses of this and of another kind, evaluation.
train: $(INSTALLED)
	$(BIN)/doppio collect $(SKILLS) --data $(RUNS)/data --episodes 150 --minutes 36
	$(MAKE) --no-print-directory $(RUNS)/first/model.safetensors
	$(MAKE) --no-print-directory $(RUNS)/second/model.safetensors BEFORE=first ROUND=second START=1000000
	$(MAKE) --no-print-directory $(RUNS)/third/model.safetensors BEFORE=second ROUND=third START=2000000
	$(BIN)/doppio collect $(SKILLS) --policy world-model --undisturbed --data $(RUNS)/calibration --start 5000000 \
		--episodes 14 --minutes 7 --checkpoint $(RUNS)/third/model.safetensors
	$(BIN)/doppio collect $(SKILLS) --policy world-model --split dev --data $(RUNS)/calibration --start 1000 --episodes 14 \
		--minutes 12 --checkpoint $(RUNS)/third/model.safetensors
	mkdir -p $(dir $(MODEL))
	$(BIN)/doppio train $(RUNS)/calibration --minutes 0 --from $(RUNS)/third/model.safetensors --to $(MODEL)
	$(BIN)/doppio results --split dev --sections headline --policies world-model --conditions nominal --episodes 6 \
		--to $(RUNS)/dev/results.md --json $(RUNS)/dev/results.json

$(RUNS)/first/model.safetensors:
	$(BIN)/doppio train $(RUNS)/data/teacher --run $(RUNS)/first --minutes 22

# One on-policy round.
$(RUNS)/$(ROUND)/model.safetensors:
	$(BIN)/doppio collect $(SKILLS) --policy world-model --data $(RUNS)/data --start $(START) --episodes 30 --minutes 8 \
		--checkpoint $(RUNS)/$(BEFORE)/model.safetensors
	$(BIN)/doppio train $(RUNS)/data --run $(RUNS)/$(ROUND) --minutes 10 --set learning_rate=7e-4 \
		--from $(RUNS)/$(BEFORE)/model.safetensors

test: $(INSTALLED)
	$(BIN)/python -m pytest

check: $(INSTALLED)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright

format: $(INSTALLED)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

clean:
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis
	find agent controllers sim tests -name __pycache__ -prune -exec rm -rf {} +
