"""An S3 service of the tests' own, spoken to over HTTP as any other."""

import contextlib
import http.client
import secrets
from collections.abc import Iterator
from typing import Any

import pytest

SECRET = "s3cr3t/key"  # noqa: S105  of a service that lives as long as a test


class S3Server:
    """A running service and a client of its own, past the product."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint

    def connect(self, **settings: str) -> Any:
        import boto3

        return boto3.client("s3", endpoint_url=self.endpoint, **settings)

    def make_bucket(self) -> str:
        """Make an empty bucket and return its name."""
        name = f"bucket-{secrets.token_hex(4)}"  # all servers of a process have the same buckets
        self.connect().create_bucket(Bucket=name)
        return name

    def contents(self, bucket: str) -> dict[str, bytes]:
        """Return every object of a bucket."""
        client = self.connect()
        keys = [found["Key"] for found in client.list_objects_v2(Bucket=bucket).get("Contents", [])]
        return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}

    @contextlib.contextmanager
    def asking_for_credentials(self) -> Iterator[None]:
        """Let the service look at keys and signatures; it knows none."""
        self._post("/moto-api/reset-auth", "0")
        try:
            yield
        finally:
            self._post("/moto-api/reset-auth", "inf")

    def _post(self, path: str, body: str) -> None:
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"))
        with contextlib.closing(connection):
            connection.request("POST", path, body, {"Content-Type": "text/plain"})
            assert connection.getresponse().status == 200


@contextlib.contextmanager
def running_s3() -> Iterator[S3Server]:
    """Start a service and let boto3 find it where it looks; skip the test where there is none."""
    server = pytest.importorskip("moto.server", reason="moto is not installed")
    thread = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    thread.start()
    host, port = thread.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    settings = {
        "AWS_ENDPOINT_URL_S3": endpoint,
        "AWS_ACCESS_KEY_ID": "AKIATESTS",
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nonexistent",
        "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("AWS_PROFILE", raising=False)
        for name, value in settings.items():
            patch.setenv(name, value)
        try:
            yield S3Server(endpoint)
        finally:
            thread.stop()
