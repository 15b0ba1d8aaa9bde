"""What a verifier has seen before: signed lists only go forward, so an older one than before is not believed again.

    memory = Memory.load(Path("seen.json"))             # empty where there is no file yet
    roots = memory.recall(TrustRoots.load(folder))      # lists older than remembered say nothing any more
    memory.save(Path("seen.json"))                      # the newest seen, for the next time

Remembered are, by the host of a trust list, its number; of a seal list, which names no host, its number by each key
that is pinned for it; and by the address of a status list, which names issuer and shard, the size of the journal it was
computed from and the time of its data. Whether a list lay in a folder or came from a register makes no difference. A
status list rolled back on the way here, signed though it is, leaves the state unknown, which is never green; an older
trust list or seal list is refused.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from certlib.crypto.cose import key_id
from certlib.errors import ConfigurationError
from certlib.formats.status import StatusList
from certlib.verify.roots import TrustRoots

VERSION = 1


@dataclass(slots=True)
class Memory:
    """The newest lists seen.

    Numbers of trust lists by host, of seal lists by pinned key id; of status lists (journal size, seconds) by address.
    """

    trust: dict[str, int] = field(default_factory=dict)
    seals: dict[str, int] = field(default_factory=dict)
    status: dict[str, tuple[int, int]] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Memory:
        """What `path` remembers; nothing where there is no such file.

        Raises `ConfigurationError` for a file that is no memory: to begin anew in silence would be to forget.
        """
        try:
            return _read(json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ConfigurationError(f"状态记录 {path} 无法读取；确认无误后可删除，重新开始记录。") from error

    def recall(self, roots: TrustRoots) -> TrustRoots:
        """`roots` with every status list older than remembered marked so; the newer ones are remembered.

        Raises `ConfigurationError` for a trust list or a seal list older than one seen before.
        """
        listed, seals = roots.trust_list, roots.seals
        if listed is not None:
            _advance(self.trust, (listed.host,), listed.seq, "信任清单")
        if seals is not None:
            _advance(self.seals, (key_id(key).hex() for key in roots.list_keys), seals.seq, "印章清单")
        return replace(roots, shards=tuple(self._judged(shard) for shard in roots.shards))

    def save(self, path: Path) -> None:
        """Write it down, whole or not at all; what another run has remembered meanwhile is kept.

        Raises `ConfigurationError` when it cannot be written.
        """
        other = Memory.load(path)
        trust, seals = _later(self.trust, other.trust), _later(self.seals, other.seals)
        none = (0, 0)
        status = {
            address: tuple(map(max, self.status.get(address, none), other.status.get(address, none)))
            for address in self.status | other.status
        }
        fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
        try:
            values = {"version": VERSION, "trust": trust, "seals": seals, "status": status}
            text = json.dumps(values, sort_keys=True, indent=1)
            fresh.write_text(text + "\n", encoding="utf-8")
            fresh.replace(path)
        except OSError as error:
            raise ConfigurationError(f"状态记录 {path} 无法写入，请检查路径。") from error

    def _judged(self, shard: StatusList) -> StatusList:
        size, issued = self.status.get(shard.address, (0, 0))
        seconds = int(shard.issued.timestamp())
        self.status[shard.address] = max(size, shard.journal_size), max(issued, seconds)
        return replace(shard, rolled_back=shard.journal_size < size or seconds < issued)


def _advance(seen: dict[str, int], names: Iterable[str], seq: int, chinese: str) -> None:
    """Remember the number of a list under each of its names. Raises `ConfigurationError` for one that went back."""
    for name in names:
        if seq < seen.get(name, seq):
            raise ConfigurationError(f"{chinese}比以前见过的旧，不能采信；请取得最新的{chinese}。")
        seen[name] = seq


def _later(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    return {name: max(one.get(name, 0), other.get(name, 0)) for name in {**one, **other}}


def _read(found: Any) -> Memory:
    if found["version"] != VERSION:
        raise ValueError("another version")
    trust, seals = (
        {str(name): _whole(seq) for name, seq in numbers.items()}
        for numbers in (found["trust"], found.get("seals", {}))  # written before seal lists were remembered: none
    )
    status = {str(address): (_whole(size), _whole(at)) for address, (size, at) in found["status"].items()}
    return Memory(trust, seals, status)


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a whole number")
    return value
