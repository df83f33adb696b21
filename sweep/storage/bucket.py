"""Store files in a bucket, where all hosts can access them.

Works with any S3-compatible service, through Optuna's artifact store; sweep chooses the names. Nothing is
cached on this machine, so all hosts see the same state. boto3 finds the service and credentials in its own
settings (``AWS_ENDPOINT_URL_S3``, ``AWS_PROFILE``, …); no text of sweep contains them.

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
from sweep.storage.folders import LOCK, Folder

SCHEME = "s3://"

_PART = r"[A-Za-z0-9][A-Za-z0-9._@-]*"
_URL = re.compile(rf"s3://([a-z0-9][a-z0-9.-]{{1,61}}[a-z0-9])(?:/({_PART}(?:/{_PART})*))?/?")
_NAME = re.compile(rf"{_PART}(/{_PART})*")
"""Names that sweep may have chosen. Other names could lead out of the folder that a bucket is copied to."""

_CREDENTIALS = "check AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"


class Bucket:
    """A bucket, accessed on first use."""

    def __init__(self, name: str) -> None:
        """Set the name; the service is not accessed yet."""
        self.name = name

    @functools.cached_property
    def store(self) -> Any:
        """Optuna's artifact store in this bucket.

        Raises:
            StorageError: If boto3 is missing, or its settings are unusable.
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
        """Turn errors into one line, without boto3's text, which may contain an address or a key."""
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
            return StorageError(
                f"{where}: the bucket does not exist; create it, or choose another with --files"
            )
        if status in (401, 403) or "Token" in code:
            return StorageError(f"{where}: the credentials are rejected ({code}); {_CREDENTIALS}")
        if status == 429 or status >= 500:
            return StorageUnreachableError(f"{where}: the service is unavailable or busy ({code}); try later")
        return StorageError(f"{where}: the request is rejected ({code}); check the bucket and AWS_REGION")


class BucketFolder:
    """A folder in a bucket, which exists as soon as it contains a file."""

    def __init__(self, bucket: Bucket, prefix: str = "") -> None:
        """Set the bucket and the common prefix of all names, without a final slash."""
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    def where(self) -> str:
        """The folder's URL, without service and credentials."""
        return f"{SCHEME}{self._bucket.name}/{self._prefix}".rstrip("/")

    def __truediv__(self, name: str) -> "BucketFolder":
        """Return a subfolder."""
        return BucketFolder(self._bucket, f"{self._prefix}{name}".rstrip("/"))

    def open(self) -> None:
        """Check that the bucket can be accessed; it is not created.

        Raises:
            StorageError: If there is no bucket, the credentials are rejected, or the service does not answer.
        """
        self._list(at_most=1)

    def names(self) -> list[str]:
        """Return the names of all files; see ``Folder``."""
        names = [key.removeprefix(self._prefix) for key in self._list()]
        return sorted(name for name in names if _NAME.fullmatch(name) and not _last(name).startswith(LOCK))

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None if there is no such file."""
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
        """Write files; each appears complete, in the given order."""
        store = self._bucket.store
        with self._bucket.errors():
            for name, content in contents.items():
                store.write(self._prefix + name, io.BytesIO(content))

    def remove(self, names: Collection[str]) -> None:
        """Remove files; an interrupted write leaves no partial file."""
        store = self._bucket.store
        with self._bucket.errors():
            for name in names:
                store.remove(self._prefix + name)

    def clear(self) -> None:
        """Remove all files whose names sweep may have chosen."""
        self.remove(self.names())

    def overlaps(self, other: Folder) -> bool:
        """Return whether an object can be in both folders."""
        mine, theirs = f"{self.where}/", f"{other.where}/"
        return isinstance(other, BucketFolder) and (mine.startswith(theirs) or theirs.startswith(mine))

    def _list(self, at_most: int | None = None) -> list[str]:
        """Return the full names of objects, through the client, because the artifact store cannot list."""
        store = self._bucket.store
        with self._bucket.errors():
            pages = store.client.get_paginator("list_objects_v2").paginate(
                Bucket=store.bucket, Prefix=self._prefix, PaginationConfig={"MaxItems": at_most}
            )
            return [found["Key"] for page in pages for found in page.get("Contents", ())]


def bucket_folder(url: str) -> BucketFolder:
    """Return the folder that a URL names; the service is not accessed yet.

    Raises:
        StorageAddressError: If the URL is invalid. The message does not contain it.
    """
    found = _URL.fullmatch(url)
    if found is None:
        raise StorageAddressError(
            "--files is not s3://BUCKET/PREFIX; address and credentials belong in boto3's own settings"
        )
    return BucketFolder(Bucket(found[1]), found[2] or "")


def _last(name: str) -> str:
    """Return the last part of a name."""
    return name.rpartition("/")[2]


def _code(error: object) -> str:
    """Return the service's error code."""
    code = str(error.response.get("Error", {}).get("Code", "")) if hasattr(error, "response") else ""
    return code if re.fullmatch(r"[A-Za-z0-9]{1,40}", code) else "no code"
