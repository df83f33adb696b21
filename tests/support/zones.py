"""Time zones, because a time that is taken for another zone's looks right in UTC."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture(params=["Asia/Tokyo", "America/St_Johns", "UTC"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    """The time zone of this process."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()
