"""What a verifier remembers between runs: lists only go forward, and a forgotten memory is said, not begun anew."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certlib.crypto.development import development_key
from certlib.domain.verdict import Verdict
from certlib.errors import ConfigurationError
from certlib.formats.seal_list import SealList
from certlib.formats.status import SHARD_SIZE, StatusList, pack
from certlib.formats.trust import TrustList
from certlib.verify.memory import Memory
from certlib.verify.roots import TrustRoots
from certlib.verify.state import listed_state

NOW = datetime(2026, 4, 1, tzinfo=UTC)
NEWER = StatusList(
    shard=0,
    address="https://zwfw.example.gov.cn/public/status/0",
    issued=NOW,
    expires=NOW + timedelta(hours=24),
    ttl=timedelta(seconds=60),
    journal_size=500,
    high_water=SHARD_SIZE,
    packed=pack([], shard=0, fill=0),
)
SMALLER = replace(NEWER, journal_size=499, issued=NOW + timedelta(minutes=1))
EARLIER = replace(NEWER, issued=NOW - timedelta(minutes=1))


def recalled(path: Path, shard: StatusList, seq: int = 7) -> StatusList:
    """One run of a verifier that is given this list and keeps its memory in `path`."""
    memory = Memory.load(path)
    trust = TrustList(seq=seq, issued=NOW, keys=(), host="zwfw.example.gov.cn")
    judged = memory.recall(TrustRoots((), trust_list=trust, shards=(shard,)))
    memory.save(path)
    return judged.shards[0]


def verdict(shard: StatusList) -> Verdict:
    """What the list says of a certificate without end."""
    return listed_state(shard, 7, None, None, NOW + timedelta(minutes=2))[0]


@pytest.mark.parametrize("older", [SMALLER, EARLIER], ids=["of a smaller journal", "of an earlier time"])
def test_an_older_list_than_before_says_nothing(tmp_path: Path, older: StatusList) -> None:
    """Signed as it is; given alone in the next run, and told apart from one that is merely out of date."""
    seen = tmp_path / "seen.json"
    assert verdict(recalled(seen, older)) is Verdict.VALID  # nothing newer was seen yet
    assert verdict(recalled(seen, NEWER if older is EARLIER else replace(NEWER, issued=older.issued))) is Verdict.VALID
    assert verdict(recalled(seen, older)) is Verdict.STATUS_UNKNOWN
    assert "比以前见过的旧" in listed_state(recalled(seen, older), 7, None, None, NOW)[1]


def test_the_same_list_again_and_a_newer_one_are_believed(tmp_path: Path) -> None:
    """A list is valid for a day, and each run may bring the same."""
    seen = tmp_path / "seen.json"
    newest = replace(NEWER, journal_size=501, issued=NOW + timedelta(minutes=1))
    assert [verdict(recalled(seen, shard)) for shard in (NEWER, NEWER, newest)] == [Verdict.VALID] * 3


def test_an_older_shard_of_another_issuer_is_its_own(tmp_path: Path) -> None:
    """Sizes are remembered by address: that of issuer and shard."""
    seen = tmp_path / "seen.json"
    recalled(seen, NEWER)
    other = replace(SMALLER, address="https://other.example.gov.cn/public/status/0")
    assert verdict(recalled(seen, other)) is Verdict.VALID


def test_an_older_trust_list_is_refused(tmp_path: Path) -> None:
    """It may still name a key that was withdrawn since."""
    seen = tmp_path / "seen.json"
    recalled(seen, NEWER, seq=7)
    with pytest.raises(ConfigurationError, match="信任清单比以前见过的旧"):
        recalled(seen, NEWER, seq=6)
    recalled(seen, NEWER, seq=8)


def test_an_older_seal_list_is_refused_under_every_key_it_was_pinned_by(tmp_path: Path) -> None:
    """It may still call a seal enabled that was revoked since. Another issuer's list, under other keys, is its own."""
    seen = tmp_path / "seen.json"
    one, other = (development_key(label).public_key for label in ("trust-2026", "trust-p256-2026"))

    def run(seq: int, *keys: bytes) -> None:
        memory = Memory.load(seen)
        memory.recall(TrustRoots((), list_keys=keys, seals=SealList(seq=seq, issued=NOW, seals=())))
        memory.save(seen)

    run(7, one)
    run(6, other)
    for keys in ((one,), (one, other)):
        with pytest.raises(ConfigurationError, match="印章清单比以前见过的旧"):
            run(6, *keys)
    run(7, one, other)
    with pytest.raises(ConfigurationError, match="印章清单比以前见过的旧"):
        run(6, other)


def test_what_was_remembered_before_seal_lists_were_is_still_read(tmp_path: Path) -> None:
    """A file written by an earlier version keeps its lists."""
    seen = tmp_path / "seen.json"
    seen.write_text('{"version": 1, "trust": {"a.example": 4}, "status": {}}', encoding="utf-8")
    memory = Memory.load(seen)
    assert (memory.trust, memory.seals) == ({"a.example": 4}, {})


@pytest.mark.parametrize("text", ["", "{}", '{"version": 2}', '{"version":1,"trust":{},"status":{"a":[1]}}', "[1]"])
def test_a_memory_that_cannot_be_read_is_not_forgotten_in_silence(tmp_path: Path, text: str) -> None:
    """Who can damage it could else roll the lists back."""
    seen = tmp_path / "seen.json"
    seen.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="无法读取"):
        Memory.load(seen)
    with pytest.raises(ConfigurationError, match="无法写入"):
        Memory().save(tmp_path / "nowhere" / "seen.json")


def test_what_another_run_remembered_meanwhile_is_kept(tmp_path: Path) -> None:
    """Two runs at once: the higher wins, whoever writes last."""
    seen = tmp_path / "seen.json"
    slow = Memory.load(seen)
    slow.recall(TrustRoots((), shards=(SMALLER,)))
    recalled(seen, NEWER)
    slow.save(seen)
    assert Memory.load(seen).status[NEWER.address] == (500, int(SMALLER.issued.timestamp()))
