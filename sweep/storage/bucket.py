"""How do files stand in a bucket, where all hosts reach them?

With any service that speaks S3, through Optuna's artifact store; the names are ours. Nothing is kept
here, so no host has an older state than another. Service and credentials are found by boto3 in its own
places (``AWS_ENDPOINT_URL_S3``, ``AWS_PROFILE``, …) and stand in no text of ours.

References:
    https://docs.aws.amazon.com/boto3/latest/guide/configuration.html
    https://docs.aws.amazon.com/AmazonS3/latest/userguide/Welcome.html#ConsistencyModel (strong)
"""

import contextlib
import functools
import io
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from sweep.errors import StorageAddressError, StorageError, StorageUnreachableError

SCHEME = "s3://"

_PART = r"[A-Za-z0-9][A-Za-z0-9._@-]*"
_URL = re.compile(rf"s3://([a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])(?:/({_PART}(?:/{_PART})*))?/?")
_NAME = re.compile(rf"{_PART}(/{_PART})*")
"""Names that may be ours. Others may stand in a bucket, and could lead out of a folder they are copied to."""

_CREDENTIALS = "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class Bucket:
    """A bucket, looked for when it is needed."""

    def __init__(self, name: str) -> None:
        """Take a name; nothing is asked yet."""
        self.name = name

    @functools.cached_property
    def store(self) -> Any:
        """Optuna's store of artifacts in this bucket.

        Raises:
            StorageError: If boto3 is missing, or cannot use what it is configured with.
        """
        try:
            import boto3
            from optuna.artifacts import Boto3ArtifactStore
        except ImportError as error:
            raise StorageError("--files s3://… needs boto3: pip install boto3") from error
        with self.errors():
            return Boto3ArtifactStore(self.name, boto3.Session().client("s3"), avoid_buf_copy=True)

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what goes wrong into one line, without what boto3 says: it may hold an address or a key."""
        from botocore import exceptions

        try:
            yield
        except exceptions.ClientError as error:
            raise self._refusal(_code(error), error.response["ResponseMetadata"]["HTTPStatusCode"]) from None
        except (exceptions.ConnectionError, exceptions.HTTPClientError) as error:
            raise StorageUnreachableError(
                f"{SCHEME}{self.name}: the service does not answer ({type(error).__name__}); "
                "check AWS_ENDPOINT_URL_S3 and the network"
            ) from None
        except (exceptions.BotoCoreError, ValueError) as error:
            raise StorageError(
                f"{SCHEME}{self.name}: boto3 has no usable settings ({type(error).__name__}); "
                f"{_CREDENTIALS}, and AWS_ENDPOINT_URL_S3 if it is set"
            ) from None

    def _refusal(self, code: str, status: int) -> StorageError:
        where = f"{SCHEME}{self.name}"
        if status == 404:
            return StorageError(f"{where}: there is no such bucket; make it, or choose another with --files")
        if status in (401, 403) or "Token" in code:
            return StorageError(f"{where}: the credentials are refused ({code}); {_CREDENTIALS}")
        if status == 429 or status >= 500:
            return StorageUnreachableError(
                f"{where}: the service is out of order or busy ({code}); try later"
            )
        return StorageError(f"{where}: the service refuses ({code}); check the bucket and AWS_REGION")


class BucketFolder:
    """A folder in a bucket; it is there as soon as a file is."""

    def __init__(self, bucket: Bucket, prefix: str = "") -> None:
        """Take what all names begin with, without the slash at its end."""
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    def where(self) -> str:
        """Its URL; it holds neither the service nor credentials."""
        return f"{SCHEME}{self._bucket.name}/{self._prefix}".rstrip("/")

    def __truediv__(self, name: str) -> "BucketFolder":
        """Return a folder below."""
        return BucketFolder(self._bucket, f"{self._prefix}{name}".rstrip("/"))

    def open(self) -> None:
        """Make sure that the bucket can be reached; it is not made.

        Raises:
            StorageError: If there is none, credentials are refused, or the service does not answer.
        """
        self._list(at_most=1)

    def names(self) -> list[str]:
        """Return the names of all files; see ``Folder``."""
        names = [key.removeprefix(self._prefix) for key in self._list()]
        return sorted(name for name in names if _NAME.fullmatch(name))

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is no such file."""
        from optuna.artifacts.exceptions import ArtifactNotFound

        store = self._bucket.store
        with self._bucket.errors():
            try:
                with contextlib.closing(store.open_reader(self._prefix + name)) as body:
                    return bytes(body.read())
            except ArtifactNotFound as error:
                if error.__cause__ is not None and _code(error.__cause__) == "NoSuchBucket":
                    raise error.__cause__ from None
                return None

    def write(self, contents: Mapping[str, bytes]) -> None:
        """Write files; each appears whole, in the order given."""
        store = self._bucket.store
        with self._bucket.errors():
            for name, content in contents.items():
                store.write(self._prefix + name, io.BytesIO(content))

    def remove(self, names: Collection[str]) -> None:
        """Remove files; a write that was cut short leaves none."""
        store = self._bucket.store
        with self._bucket.errors():
            for name in names:
                store.remove(self._prefix + name)

    def clear(self) -> None:
        """Remove everything in it that may be ours."""
        self.remove(self.names())

    def _list(self, at_most: int | None = None) -> list[str]:
        """Return whole names of objects; the store cannot list, its client can."""
        store = self._bucket.store
        with self._bucket.errors():
            pages = store.client.get_paginator("list_objects_v2").paginate(
                Bucket=store.bucket, Prefix=self._prefix, PaginationConfig={"MaxItems": at_most}
            )
            return [found["Key"] for page in pages for found in page.get("Contents", ())]


def bucket_folder(url: str) -> BucketFolder:
    """Return the folder that a URL names; nothing is asked yet.

    Raises:
        StorageAddressError: If it cannot be read. The text shows nothing of it.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise StorageAddressError(
            "--files is no s3://BUCKET/PREFIX; address and credentials stand in boto3's own places"
        )
    return BucketFolder(Bucket(found[1]), found[2] or "")


def _code(error: Any) -> str:
    """Return a service's own word for what is wrong."""
    code = str(error.response.get("Error", {}).get("Code", "")) if hasattr(error, "response") else ""
    return code if re.fullmatch(r"[A-Za-z0-9]{1,40}", code) else "no code"
