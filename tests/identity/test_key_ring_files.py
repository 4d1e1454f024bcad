"""Keys of an issuer in a file that changes, in place or by a link."""

import os
from pathlib import Path

from sidecar.identity.key_ring import KeyRing
from sidecar.identity.key_set import KeySet
from sidecar.identity.key_sources import FileKeys
from tests.identity.bad_tokens import EC, KEYS
from tests.identity.minting import key_set, signer
from tests.support.pipeline import ManualClock


async def in_a_file(path: Path) -> tuple[KeyRing, ManualClock]:
    """A ring over a file."""
    clock = ManualClock()
    source = FileKeys(path)
    ring = KeyRing("https://login.example", source, source.pace(3600), clock)
    await ring.start()
    return ring, clock


async def second_passes(ring: KeyRing, clock: ManualClock) -> KeySet:
    """The keys after a second."""
    clock.now += 1
    ring.tend()
    assert ring._reading is not None
    await ring._reading
    return ring.current()


async def test_changed_file_is_read_within_a_second(tmp_path: Path) -> None:
    """Other contents are other keys, even under the same size and times."""
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(signer("ES256", "one")))
    times = path.stat()
    ring, clock = await in_a_file(path)
    first = await second_passes(ring, clock)
    path.write_bytes(key_set(signer("ES256", "two")))
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    second = await second_passes(ring, clock)

    assert ("one", "two") == (first.keys[0].key_id, second.keys[0].key_id)


async def test_swapped_link_is_followed(tmp_path: Path) -> None:
    """Kubernetes swaps a link to a folder; the file behind the new one is read."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "keys.json").write_bytes(key_set(signer("ES256", name)))
    data = tmp_path / "..data"
    data.symlink_to("one")
    (tmp_path / "keys.json").symlink_to("..data/keys.json")
    ring, clock = await in_a_file(tmp_path / "keys.json")
    first = await second_passes(ring, clock)
    swapped = tmp_path / "..data_tmp"
    swapped.symlink_to("two")
    swapped.rename(data)
    second = await second_passes(ring, clock)

    assert ("one", "two") == (first.keys[0].key_id, second.keys[0].key_id)


async def test_same_contents_are_the_same_keys(tmp_path: Path) -> None:
    """A file that is written again as it was drops nothing."""
    path = tmp_path / "keys.json"
    path.write_bytes(KEYS)
    ring, clock = await in_a_file(path)
    first = await second_passes(ring, clock)
    path.unlink()
    path.write_bytes(KEYS)
    second = await second_passes(ring, clock)

    assert first is second


async def test_bad_file_keeps_the_last_good_one(tmp_path: Path) -> None:
    """Garbage in the file, or no file, changes no key."""
    path = tmp_path / "keys.json"
    path.write_bytes(key_set(EC))
    ring, clock = await in_a_file(path)
    path.write_bytes(b"{")
    first = await second_passes(ring, clock)
    path.unlink()
    second = await second_passes(ring, clock)

    assert ["ES256", "ES256"] == [each.keys[0].key_id for each in (first, second)]
