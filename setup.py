"""Package metadata, and the one place where dependencies and their versions are chosen."""

from setuptools import setup

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
    "tensorboard>=2.20",  # TensorFlow only writes summaries when it is there
    "ai-edge-litert==2.3.0",  # runs the .tflite files; tf.lite.Interpreter is deprecated
    # Data, console and report.
    "numpy>=1.26",
    "scikit-learn>=1.5",  # carries the digits that stand in for MNIST offline
    "rich>=14",
    "jinja2>=3.1",
    "matplotlib>=3.10",
    # TFX needs these at run time, without saying so: it packs a component's `module_file` into a
    # wheel and installs it, and tensorflow-hub imports pkg_resources, which setuptools 81 dropped.
    "dill>=0.4",
    "pip",
    "setuptools<81",
    "wheel",
]
DEVELOPMENT = ["pytest>=9", "ruff>=0.17", "uv>=0.9", "websocket-client>=1.9", "psutil>=7"]

setup(
    name="mnist-tfx-jax",
    version="0.1.0",
    description="A TFX pipeline: a Flax CNN trained once, shipped to servers and devices",
    python_requires=">=3.11,<3.14",
    packages=["data", "modules", "pipeline"],
    package_data={"pipeline": ["schema/*.pbtxt", "templates/*"]},
    install_requires=REQUIRED,
    extras_require={"dev": DEVELOPMENT},
)
