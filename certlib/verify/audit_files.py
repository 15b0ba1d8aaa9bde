"""What the audit checks of files that the auditor drew elsewhere: from holders, from the web, from other offices."""

from __future__ import annotations

from collections.abc import Mapping

from certlib.verify.audit_events import Breaches


class Files:
    """Step 13: each file is one that a leaf of a certificate or document registered; `drawn` gives digests by name."""

    def __init__(self, found: Breaches, drawn: Mapping[str, bytes]) -> None:
        self._found, self.drawn = found, drawn
        self._wanted = frozenset(drawn.values())
        self._seen: set[bytes] = set()

    def take(self, file: bytes) -> None:
        """The digest that one leaf of a chain has."""
        if file in self._wanted:
            self._seen.add(file)

    def finish(self) -> str:
        """Name the files that no leaf has; gives how many were looked for."""
        for name, digest in self.drawn.items():
            if digest not in self._seen:
                self._found.add("files", name, "日志中没有登记这份文件：不是签发原件，或是在系统之外制作的")
        return f"{len(self.drawn)} 份" if self.drawn else ""
