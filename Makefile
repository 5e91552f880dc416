# Everything a user types. `make help` lists it.

# Settings of a run, then of single commands, as in pipeline/settings.py; see `make help`. Empty means
# the default.
override settings := DATASET IMAGE_SIZE MNIST_DIR DATA_CACHE OUTPUT MODEL PARAMS BATCH_SIZES PERSONALIZE \
	EPOCHS SEED TRIALS RECIPES MIN_ACCURACY MAX_LATENCY_US RUNTIMES PARITY_IMAGES \
	METADATA PIPELINE_NAME PIPELINE_ROOT PUSH_TO STAGE_BEAM BEAM_RUNNER BEAM_ARGS \
	IMAGE DATA_ROOT TRAINER_IMAGE TRAINER_GPUS GPU_TYPE \
	AIRFLOW_PORT DRY_RUN SHARE_NETWORK CLASSPATH PYTHON \
	FILE JSON SERVER \
	BASE HEAD NUM_CLASSES OPTIMIZER LEARNING_RATE TRAIN_BATCH_SIZE OUT \
	SERVE_HOST SERVE_PORT GRPC_PORT METRICS_PORT MAX_BATCH MAX_BATCH_MS \
	WEB_PORT ANDROID_KEYSTORE

# Make would expand a value wherever it is referred to, and hand on what it expands to. Each becomes
# the text that was typed, and goes to the commands in their environment alone.
$(foreach name,$(settings),$(if $(filter-out undefined,$(origin $(name))),\
	$(eval override $(name) := $$(value $(name)))))
export $(settings)

# What else stands on the command line is a mistake. The first Python there is tells the nearest name.
override unknown := $(strip $(foreach name,$(.VARIABLES),\
	$(if $(filter command,$(firstword $(origin $(name)))),'$(subst ','\'',$(name))')))
unexport $(subst ',,$(unknown))
ifneq ($(unknown),)
$(error $(or $(shell $(firstword $(wildcard .venv/bin/python) python3) \
	scripts/unknown_setting.py $(unknown) -- $(settings)),unknown setting $(unknown)))
endif

# Of another Python, as for .venv/bin/activate.
unexport PYTHONHOME

override python := .venv/bin/python
override setup_stamp := .venv/.setup-complete
override airflow_stamp := .venv-airflow/.setup-complete
override serve_stamp := .venv-serve/.setup-complete
override tools_stamp := .venv-tools/.setup-complete
override micro_stamp := .venv-micro/.setup-complete

.DEFAULT_GOAL := help
.PHONY: help run tfx recover airflow airflow-up airflow-compile airflow-setup kubeflow \
	flink flink-cluster flink-jar spark-jar inspect predict round-trip personalize micro \
	serve serve-setup micro-setup web web-setup android android-setup jvm-setup test bench lint \
	setup tools-setup lock clean

help: ## list the commands and settings
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-15s %s\n", $$1, $$2}' Makefile
	@echo
	@echo 'Settings, as in `make run DATASET=digits EPOCHS=5`:'
	@echo '  DATASET       auto (default: MNIST if it can be had, else digits), digits, mnist,'
	@echo '                fashion-mnist, kmnist, emnist-letters, emnist-balanced, qmnist, cifar-10,'
	@echo '                or a folder or file of your own images, see docs/data.md'
	@echo '  IMAGE_SIZE    resizes images, as 64 or 48x64, height x width (their own size)'
	@echo '  MNIST_DIR     a folder that holds the files of MNIST'
	@echo '  DATA_CACHE    where downloads and the digits are kept (default: data/cache, or the'
	@echo '                cache folder of the platform where that cannot be written)'
	@echo '  OUTPUT        where everything goes (default: output/NAME-OF-THE-DATA-SET)'
	@echo '  MODEL         what to train: cnn (default), mlp, resnet, mobilenet, vit, lstm, or the path'
	@echo '                of a Python file'
	@echo '  PARAMS        trained parameters to ship without training: .npz, .safetensors, .msgpack'
	@echo '                or a folder of Orbax'
	@echo '  BATCH_SIZES   that the SavedModel is traced for, as 1,16,128 (default: one trace for any)'
	@echo '  PERSONALIZE   also make a model that is trained on the device: a head and an optimizer, as'
	@echo '                softmax,sgd or mlp,adam (none)'
	@echo '  EPOCHS, SEED  of the training (10, 0)'
	@echo '  TRIALS        short trainings that look for hyperparameters of the long one (0)'
	@echo '  RECIPES       device models to make: float32,float16,dynamic_range,int8,int8_io (all)'
	@echo '  MIN_ACCURACY  below it no model is pushed (0.97)'
	@echo '  MAX_LATENCY_US  median time of one image that a device model may take (no limit)'
	@echo '  RUNTIMES      that must give the same answers: xnnpack,builtin,reference,tflm,wasm,jvm, or none'
	@echo '                (those that are installed)'
	@echo '  PARITY_IMAGES test images that they are asked about; 0: all (256)'
	@echo '  METADATA      ML Metadata on a server: mysql://USER@HOST:PORT/DATABASE, the password in'
	@echo '                MYSQL_PWD (default: SQLite under OUTPUT)'
	@echo '  PIPELINE_NAME under which runs share cache and last blessed model (mnist-jax-DATASET)'
	@echo '  PIPELINE_ROOT, PUSH_TO  where artifacts and pushed models go: folders, or URIs of object'
	@echo '                stores, s3://, gs:// or file:// (in OUTPUT); DATASET and MNIST_DIR, too,'
	@echo '                may be such URIs'
	@echo '  STAGE_BEAM    0: components that run on Beam read and write the URIs themselves (1)'
	@echo '  BEAM_RUNNER   in_memory (default), portable, flink, spark, dataflow'
	@echo '  BEAM_ARGS     more options for Beam, as --parallelism=2 --flink_master=HOST:PORT'
	@echo 'Of single commands, see docs/settings.md:'
	@echo '  IMAGE, DATA_ROOT, TRAINER_IMAGE, TRAINER_GPUS, GPU_TYPE  of make kubeflow'
	@echo '  AIRFLOW_PORT  of the web server of `make airflow-up` (8080)'
	@echo '  SERVE_HOST, SERVE_PORT, GRPC_PORT, METRICS_PORT  where `make serve` listens (127.0.0.1,'
	@echo '                8080, 8081, 8082)'
	@echo '  MAX_BATCH, MAX_BATCH_MS  images that it takes through the model together (32; 1: each'
	@echo '                request alone), and how long it waits for them (0)'
	@echo '  WEB_PORT      of the page of `make web` (8090)'
	@echo '  DRY_RUN       1: `make recover` only says what it would do (0)'
	@echo '  SHARE_NETWORK 1: `make flink` runs in the network of this machine (0)'
	@echo '  CLASSPATH     jars of a Flink distribution for `make flink-cluster`'
	@echo '  PYTHON        the interpreter for `make setup`'
	@echo '  FILE          a SavedModel or .tflite for `make inspect`, a SavedModel for `make round-trip`;'
	@echo '                an image, a folder of images or an IDX file for `make predict`'
	@echo '  JSON          1: `make inspect` prints JSON (0)'
	@echo '  BASE, HEAD, NUM_CLASSES, OPTIMIZER, LEARNING_RATE, TRAIN_BATCH_SIZE, OUT'
	@echo '                of `make personalize`, see docs/personalization.md'
	@echo '  ANDROID_KEYSTORE  that `make android` signs with, its password in ANDROID_KEYSTORE_PASSWORD'
	@echo '                (default: a key of its own in .android/)'
	@echo '  SERVER        that `make predict` asks, as http://127.0.0.1:8080 (the device models)'

run: $(setup_stamp) ## run the pipeline: train, convert, evaluate, compare, push, report
	@$(python) -m pipeline.local_runner

tfx: $(setup_stamp) ## the same by the tfx command line: create or update the pipeline, run it
	@sh scripts/tfx.sh

recover: $(setup_stamp) ## mark what killed runs left running as failed, remove its leftovers
	@$(python) -m pipeline.running.recover

inspect: $(setup_stamp) ## what a SavedModel or .tflite offers: FILE=path, JSON=1 for programs
	@$(python) -m modules.inspection

round-trip: $(setup_stamp) ## compare a SavedModel that is there with JAX: FILE=path, MODEL as trained
	@$(python) -m pipeline.running.round_trip

personalize: $(setup_stamp) ## a .tflite that is trained on the device, of a base and a HEAD
	@$(python) -m pipeline.running.personalize

predict: $(setup_stamp) ## what the pushed models, or a SERVER, say of images: FILE=path
	@$(python) -m serve.client

android: $(setup_stamp) ## an Android app with the pushed models: OUTPUT/android/mnist.apk
	@$(python) -m apps.android

micro: $(setup_stamp) $(micro_stamp) ## C files for a microcontroller of the pushed int8_io, tried and measured
	@$(python) -m apps.micro

airflow: $(setup_stamp) $(airflow_stamp) ## run the pipeline as an Airflow DAG, once, without a server
	@$(python) -m pipeline.airflow.once

airflow-up: $(setup_stamp) $(airflow_stamp) ## Airflow with the DAG on 127.0.0.1, until Ctrl-C
	@exec $(python) -m pipeline.airflow.up

airflow-compile: $(setup_stamp) ## compile the DAG for an Airflow of your own
	@$(python) -m pipeline.airflow.compile_dag

web: $(setup_stamp) ## a page on 127.0.0.1: draw, have the device models tell it, teach them
	@exec $(python) -m apps.web

serve: $(serve_stamp) ## the model server on 127.0.0.1 over serving/, until Ctrl-C
	@exec .venv-serve/bin/python -m serve.server

flink: $(setup_stamp) ## the same with Beam's work on Flink, a local one unless BEAM_ARGS names another
	@sh scripts/flink.sh

flink-cluster: $(setup_stamp) ## a Flink with two workers on this machine, until Ctrl-C
	@sh scripts/flink.sh cluster

flink-jar spark-jar: %-jar: $(setup_stamp) ## take Beam's job server from Maven Central
	@$(python) -m pipeline.running.take_job_server $*

test: $(setup_stamp) ## run the tests by two workers; with MNIST_DIR, those on real MNIST too
	@$(python) -m pytest -n 2

kubeflow: $(setup_stamp) ## compile for Kubeflow Pipelines and Vertex into OUTPUT/kubeflow/
	@$(python) -m pipeline.kubeflow_runner

bench: $(setup_stamp) $(serve_stamp) ## measure against peers; JSON under output/bench/
	@$(python) -m benchmarks.tflite_latency
	@$(python) -m benchmarks.extractor_throughput
	@$(python) -m benchmarks.pipeline_overhead
	@$(if $(wildcard .beam/*flink*.jar),sh scripts/loopback_only.sh) $(python) -m benchmarks.beam_runners
	@$(python) -m benchmarks.training_speed
	@$(python) -m benchmarks.training_accuracy
	@$(python) -m benchmarks.growth
	@$(python) -m benchmarks.serving

lint: $(setup_stamp) ## check the code's style, and who imports whom
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/lint-imports --no-cache

setup: ## make .venv anew from the hashed lock; PYTHON=... chooses the interpreter
	@sh scripts/setup.sh
	@touch $(setup_stamp)

$(setup_stamp): requirements/lock.txt setup.py scripts/setup.sh
	@$(MAKE) --no-print-directory setup

airflow-setup: $(setup_stamp) ## make .venv-airflow anew from its hashed lock
	@echo 'Setting up .venv-airflow (260 MB) ...'
	@.venv/bin/uv venv --quiet --clear --no-python-downloads --python '>=3.11,<3.13' .venv-airflow
	@.venv/bin/uv pip sync --quiet --python .venv-airflow/bin/python --require-hashes \
		--compile-bytecode requirements/airflow.txt
	@touch $(airflow_stamp)

$(airflow_stamp): requirements/airflow.txt | $(setup_stamp)
	@$(MAKE) --no-print-directory airflow-setup

serve-setup: $(setup_stamp) ## make .venv-serve anew from its hashed lock
	@echo 'Setting up .venv-serve (2.4 GB) ...'
	@.venv/bin/uv venv --quiet --clear --no-python-downloads --python '>=3.11,<3.13' .venv-serve
	@.venv/bin/uv pip sync --quiet --python .venv-serve/bin/python --require-hashes \
		--compile-bytecode requirements/serve.txt
	@touch $(serve_stamp)

$(serve_stamp): requirements/serve.txt | $(setup_stamp)
	@$(MAKE) --no-print-directory serve-setup

web-setup: $(setup_stamp) ## take the page's packages with npm and build it, where that is due
	@$(python) -m apps.web.build

tools-setup: $(setup_stamp) ## make .venv-tools anew from its hashed lock: tools for the tests
	@echo 'Setting up .venv-tools (300 MB) ...'
	@.venv/bin/uv venv --quiet --clear --no-python-downloads --python $(python) .venv-tools
	@.venv/bin/uv pip sync --quiet --python .venv-tools/bin/python --require-hashes \
		--compile-bytecode requirements/tools.txt
	@touch $(tools_stamp)

android-setup: $(setup_stamp) jvm-setup ## take what the app's tests need from Maven Central (450 MB)
	@$(python) -m apps.android.take

micro-setup: $(setup_stamp) ## make .venv-micro anew from its hashed lock
	@echo 'Setting up .venv-micro (90 MB) ...'
	@.venv/bin/uv venv --quiet --clear --no-python-downloads --python $(python) .venv-micro
	@.venv/bin/uv pip sync --quiet --python .venv-micro/bin/python --require-hashes \
		--compile-bytecode requirements/micro.txt
	@touch $(micro_stamp)

$(micro_stamp): requirements/micro.txt | $(setup_stamp)
	@$(MAKE) --no-print-directory micro-setup

jvm-setup: $(setup_stamp) ## take TFLite for the JVM (8 MB) from Maven Central, compile the library
	@$(python) -m apps.android.jvm

lock: $(setup_stamp) ## resolve setup.py and requirements/ into the locks there
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--extra dev --override requirements/overrides.txt --custom-compile-command 'make lock' \
		setup.py --output-file requirements/lock.txt
	@.venv/bin/uv pip compile --quiet --python-version 3.11 \
		--python-platform x86_64-manylinux_2_28 --generate-hashes --no-annotate \
		--constraint requirements/lock.txt --custom-compile-command 'make lock' \
		requirements/cuda.in --output-file requirements/cuda-lock.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' \
		requirements/airflow.in --output-file requirements/airflow.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' \
		requirements/tools.in --output-file requirements/tools.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command 'make lock' \
		requirements/micro.in --output-file requirements/micro.txt
	@.venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-annotate --constraint requirements/lock.txt --custom-compile-command 'make lock' \
		requirements/serve.in --output-file requirements/serve.txt

clean: ## remove output/ and caches, never data
	@echo 'removing output/ and caches'
	@rm -rf output .pytest_cache .ruff_cache build *.egg-info apps/web/dist
	@find . -name __pycache__ -not -path './.venv*' -prune -exec rm -rf {} +
