# Everything a user types. `make help` lists it.

# Settings of a run; see `make help`. Empty means the default.
export DATASET MNIST_DIR OUTPUT EPOCHS SEED TRIALS RECIPES MIN_ACCURACY BEAM_RUNNER BEAM_ARGS

python := .venv/bin/python
setup_stamp := .venv/.setup-complete
# A Flink of the run's own needs no network, and its servers would listen on all of it.
alone := $(if $(or $(SHARE_NETWORK),$(findstring --flink_master=,$(BEAM_ARGS))),,sh scripts/loopback_only.sh)

.DEFAULT_GOAL := help
.PHONY: help run flink flink-cluster flink-jar spark-jar test bench lint setup lock clean

help: ## list the commands and settings
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo
	@echo 'Settings, as in `make run DATASET=digits EPOCHS=5`:'
	@echo '  DATASET       auto (default: MNIST if it can be had, else digits), mnist, digits,'
	@echo '                or a folder with four IDX files'
	@echo '  MNIST_DIR     a folder that holds the files of MNIST'
	@echo '  OUTPUT        where everything goes (default: output/NAME-OF-THE-DATA-SET)'
	@echo '  EPOCHS, SEED  of the training (10, 0)'
	@echo '  TRIALS        short trainings that look for hyperparameters of the long one (0)'
	@echo '  RECIPES       device models to make: float32,float16,dynamic_range,int8,int8_io (all)'
	@echo '  MIN_ACCURACY  below it no model is pushed (0.97)'
	@echo '  BEAM_RUNNER   in_memory (default), portable, flink, spark, dataflow'
	@echo '  BEAM_ARGS     more options for Beam, as --parallelism=2 --flink_master=HOST:PORT'

run: $(setup_stamp) ## run the pipeline: train, convert, evaluate, compare, push, report
	@$(python) -m pipeline.local_runner

flink: flink-jar ## the same with Beam's work on Flink, a local one unless BEAM_ARGS names another
	@$(python) -m data $(or $(DATASET),auto) $(if $(MNIST_DIR),--mnist-dir '$(MNIST_DIR)') >/dev/null
	@BEAM_RUNNER=flink $(alone) $(python) -m pipeline.local_runner

flink-cluster: flink-jar ## a Flink with two workers on this machine, until Ctrl-C
	@sh scripts/flink_cluster.sh

flink-jar spark-jar: %-jar: $(setup_stamp) ## take Beam's job server from Maven Central
	@$(python) -m pipeline.job_server $*

test: $(setup_stamp) ## run the tests; with MNIST_DIR, those on real MNIST too
	@$(python) -m pytest

bench: $(setup_stamp) ## measure against peers; JSON under output/bench/
	@$(python) -m benchmarks.tflite_latency
	@$(python) -m benchmarks.extractor_throughput
	@$(python) -m benchmarks.pipeline_overhead
	@$(alone) $(python) -m benchmarks.beam_runners
	@$(python) -m benchmarks.training_speed
	@$(python) -m benchmarks.training_accuracy

lint: $(setup_stamp) ## check the code's style
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .

setup: ## make .venv anew from the hashed lock; PYTHON=... chooses the interpreter
	@PYTHON='$(PYTHON)' sh scripts/setup.sh
	@touch $(setup_stamp)

$(setup_stamp): requirements/lock.txt setup.py scripts/setup.sh
	@$(MAKE) --no-print-directory setup

lock: $(setup_stamp) ## resolve setup.py and requirements/overrides.txt into requirements/lock.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--extra dev --override requirements/overrides.txt --custom-compile-command 'make lock' \
		setup.py --output-file requirements/lock.txt

clean: ## remove output/ and caches, never data
	@echo 'removing output/ and caches'
	@rm -rf output .pytest_cache .ruff_cache build *.egg-info
	@find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
