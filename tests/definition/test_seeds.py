"""Seeds and keys of streams, against the hashes that they are."""

import hashlib

from sweep.definition.seeds import derive_seed, stream_key


def test_seeds_and_keys_never_change() -> None:
    """The reference numbers rest on these hashes: sha256 of the parts joined by a slash."""
    digest = hashlib.sha256(b"0/tpe/7").digest()
    assert derive_seed(0, "tpe", 7) == int.from_bytes(digest[:4], "big")
    digest = hashlib.sha256(b"batch/12").digest()
    assert stream_key(12, "batch") == int.from_bytes(digest[:8], "big")


def test_derived_seeds_differ() -> None:
    """Ten thousand trial seeds of one study are within 32 bits and almost all different."""
    seeds = [derive_seed(0, number) for number in range(10_000)]
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert len(set(seeds)) >= 9_998
    assert not set(seeds[:100]) & {derive_seed(1, number) for number in range(100)}
