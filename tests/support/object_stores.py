"""Object stores that run in the tests' own process and answer real HTTP, on loopback only."""

import contextlib
import os
import urllib.request
from collections.abc import Iterator
from http.server import HTTPServer

import boto3

# Read when gcsfs is imported: Google's server would be asked for a bucket's kind by gRPC, which
# the tests' does not speak.
os.environ["GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT"] = "false"

# isort: split
import gcsfs
import s3fs
from gcp_storage_emulator.server import create_server
from moto.server import ThreadedMotoServer

from pipeline.beam import direct_http

BUCKET = "bucket"
ANY_REQUESTS = float("inf")

Environment = dict[str, str]  # what a process needs to use a store


@contextlib.contextmanager
def s3_server() -> Iterator[Environment]:
    """Runs an S3 server with an empty BUCKET."""
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    try:
        boto3.client(
            "s3",
            endpoint_url=environment["AWS_ENDPOINT_URL"],
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name="us-east-1",
        ).create_bucket(Bucket=BUCKET)
        yield environment
    finally:
        server.stop()


@contextlib.contextmanager
def gcs_server() -> Iterator[Environment]:
    """Runs a server of Google Cloud Storage's with an empty BUCKET."""
    # With a queue of 5, as it is, many connections at once would wait for TCP to try again.
    HTTPServer.request_queue_size = 128
    server = create_server("127.0.0.1", 0, in_memory=True, default_bucket=BUCKET)
    server.start()
    port = server._api._httpd.server_port
    try:
        yield {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"}
    finally:
        server.stop()


def refuse_after(environment: Environment, requests_left: float) -> None:
    """Makes the S3 server check permissions, which nobody has, after so many more requests."""
    address = f"{environment['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
    body, kind = str(requests_left).encode(), {"Content-Type": "text/plain"}
    direct_http.urlopen(urllib.request.Request(address, body, kind), timeout=9).close()


def forget_connections() -> None:
    """Makes the libraries look at the environment again."""
    s3fs.S3FileSystem.clear_instance_cache()
    gcsfs.GCSFileSystem.clear_instance_cache()
