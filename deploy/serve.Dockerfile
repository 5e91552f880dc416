# The model server that `make serve` runs. From the root of the repository:
#   docker build -f deploy/serve.Dockerfile -t registry/mnist-serve:tag .
#   docker run --rm -p 127.0.0.1:8080:8080 -p 127.0.0.1:8081:8081 \
#     -v "$PWD/output/mnist/serving:/models/serving:ro" registry/mnist-serve:tag
FROM python:3.11-slim-bookworm AS packages
COPY requirements/lock.txt requirements/serve.txt /requirements/
# uv, in the lock's own version, as deploy/Dockerfile has it. Compiled, since a server that is started
# again has to answer soon, and writes nothing.
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN grep -A 99 '^uv==' /requirements/lock.txt | sed '/^    # via/,$d' > /requirements/uv.txt \
    && pip install --no-cache-dir --require-hashes -r /requirements/uv.txt \
    && python -m venv /opt/venv \
    && uv pip sync --no-cache --compile-bytecode --python /opt/venv/bin/python --require-hashes \
        /requirements/serve.txt

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 1000 mnist && mkdir /models
COPY --from=packages /opt/venv /opt/venv
COPY data /app/data
COPY pipeline/__init__.py /app/pipeline/__init__.py
COPY pipeline/storage /app/pipeline/storage
COPY serve/__init__.py /app/serve/__init__.py
COPY serve/server /app/serve/server
# All addresses, since those of a container are its own: what is reached is what is published.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/app \
    PYTHONUNBUFFERED=1 \
    DATASET=mnist \
    OUTPUT=/models \
    SERVE_HOST=0.0.0.0
# By number, so that Kubernetes can tell that it is not root.
USER 1000
WORKDIR /home/mnist
EXPOSE 8080 8081 8082
CMD ["python", "-m", "serve.server"]
