"""What the audit checks of the register: each leaf has its rows and each row its leaf, and both say the same.

`register.jsonl` has one line per leaf that rows belong to, in the order of the leaves, and then the rows that have
no leaf:

    {"seq": 7, "intent": {"key": "…", "commitment": "hex", "indices": [41, 42]}}
    {"seq": 9, "event": {"key": "…", "at": milliseconds}, "file": {"sha256": "hex", "n": 41},
               "outcome": {"key": "…", "n": 41, "commitment": "hex" | "erased"}}
    {"seq": 10, "use": {"seal": "…", "use": 3, "state": "used", "sha256": "hex"}}
    {"seq": 10, "service": {"key": "…", "commitment": "hex" | "erased"}}       a service (送达)
    {"seq": 11, "rows": {"commitment": "hex", "differs": ["edition …/1"]}}     rows written by one transaction
    {"seq": 12, "access": {"commitment": "hex"}}                               accesses of an hour
    {"seq": null, "row": "file", "key": "…"}                                   a row without a leaf
    {"seq": null, "row": "erasing", "key": "…"}                     an erasure whose leaf has no number yet
    {"seq": null, "row": "use", "seal": "…", "use": 4, "state": "reserved"}    a use not closed yet

Commitments are computed by whoever exports, from the salts and facts as they are in the database then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from certlib.formats.leaf import Leaf
from certlib.verify.audit_events import Breaches, Indices, place_of

_EPOCH, _MILLISECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)
_NO_EVENT = frozenset({"planned", "plan-voided", "effective", "file-replaced", "file-raised", "erased"})
_USES = frozenset({"seal:used", "seal:released"})
_OWN = {"register:rows": "rows", "access:digest": "access", "service:served": "service"}
_HASH = 32
_ERASED = "erased"  # the commitment of a content whose salt is gone; and what a check says of it

ROW_WORDS = {
    "intent": "办理计划",
    "event": "办理记录",
    "file": "文件登记",
    "outcome": "证照（文书）内容",
    "use": "用印登记",
    "service": "送达记录",
    "rows": "台账各行的摘要",
    "access": "查阅日志的摘要",
}
TABLE_WORDS = {
    "certificate": "证照",
    "edition": "证照版本",
    "co_holder": "共同持证主体",
    "sheet": "实体证照",
    "file": "文件登记",
    "document": "审批文书",
    "blank": "空白证照",
    "stock_movement": "库存流水",
    "mass": "批量办理",
    "meta": "台账设置与已发布清单",
    "seal": "印章",
    "seal_edition": "印章版本",
    "seal_certificate": "印章证书",
    "seal_event": "印章记录",
    "seal_authorisation": "用印授权",
    "seal_use": "用印登记",
    "published": "已发布文件登记",
    "access": "查阅记录",
    "access_digest": "查阅日志摘要",
    "row_change": "行摘要",
    "chain": "日志链",
    "journal_event": "日志条目的哈希",
    "journal_checkpoint": "检查点的登记",
    "journal_cosignature": "见证签名的登记",
}
_DERIVED = frozenset({"chain", "journal_event", "journal_checkpoint", "journal_cosignature"})


def rows_of(leaf: Leaf) -> tuple[str, ...]:
    """Which rows of the register must belong to a leaf of this kind."""
    return _rows_of(leaf.kind, bool(leaf.file))


@lru_cache(maxsize=256)
def _rows_of(kind: str, has_file: bool) -> tuple[str, ...]:
    subject, _, event = kind.partition(":")
    if kind in _USES:
        return ("use",)
    if kind in _OWN:
        return (_OWN[kind],)
    if event == "planned":
        return ("intent",)
    if kind == "certificate:imported":
        return ("event", "outcome")
    acts = event not in _NO_EVENT
    conditions = (
        ("event", acts and subject == "certificate"),
        ("file", has_file and subject != "seal"),
        ("outcome", acts and has_file and subject in {"certificate", "document"}),
    )
    return tuple(row for row, belongs in conditions if belongs)  # as an export orders them


class Register:
    """Step 9: register and journal in one-to-one correspondence.

    `partial` is for a stretch of a journal: a content whose plan stands before it cannot be compared with its
    commitment, and is held to its index alone.
    """

    def __init__(
        self, found: Breaches, lines: Iterable[Mapping[str, Any]], indices: Indices, *, partial: bool = False
    ) -> None:
        self._found, self._partial = found, partial
        self._lines = iter(lines)
        self._indices = indices
        self._next: Mapping[str, Any] | None = next(self._lines, None)
        self._commitments = bytearray()  # 32 bytes by n, of the leaf that planned it
        self.present = self._next is not None
        self.rows = 0
        self.erased = 0
        self.open_uses: set[tuple[str, int]] = set()
        self._without_salt: dict[int, str] = {}  # chains of which a salt is gone, with the place
        self._erased: set[int] = set()  # chains with a leaf that says so
        self._erasing = 0  # such leaves that have no number yet

    def take(self, index: int, leaf: Leaf, chain: int) -> None:
        """Check the rows of one leaf."""
        kind, has_file = leaf.kind, bool(leaf.file)
        if leaf.statuses and leaf.commitment:
            self._remember(leaf)
        if kind.endswith(":erased"):
            self._erased.add(chain)
        line = self._next
        if line is not None and line.get("seq") == index:
            self._next = next(self._lines, None)
        else:
            line = self._line(index)
        names, checks = _belonging(kind, has_file)
        if tuple(line) != names:  # more or fewer than belong there, or in another order
            self._check_all(line, index, leaf, chain)
            return
        for row, keys, check in checks:
            claim = line[row]
            if type(claim) is dict and tuple(claim) == keys and not check(self, claim, leaf, chain):
                self.rows += 1  # almost every row
            else:
                self._check(row, claim, index, leaf, chain)  # again, to be named

    def finish(self) -> None:
        """Take the rows without a leaf."""
        while self._next is not None:
            line, self._next = self._next, next(self._lines, None)
            row, key = str(line.get("row", "")), str(line.get("key", ""))
            if line.get("seq") is not None:
                self._found.add("register", f"register.jsonl {line['seq']}", "所指的日志条目不存在，或次序颠倒")
            elif row == "use" and line.get("state") == "reserved":
                self.open_uses.add((str(line.get("seal")), _number(line.get("use"))))
            elif row == "erasing":
                self._erasing += 1
            elif row in _DERIVED:
                self._found.add("register", f"{TABLE_WORDS[row]} {key}", "与由日志得出的不符，疑被改动")
            else:
                self._found.add(
                    "register",
                    f"{ROW_WORDS.get(row) or TABLE_WORDS.get(row, row)} {key}",
                    "日志中没有与之对应的条目，疑为事后加入",
                )

        pretended = [place for chain, place in self._without_salt.items() if chain not in self._erased]
        for place in pretended[self._erasing :]:
            self._found.add("register", place, "盐值已被删除，日志中却没有依法删除的登记：疑为掩盖改动")

    def _line(self, index: int) -> Mapping[str, Any]:
        """The line of that leaf where another stands next."""
        line = self._next
        while line is not None and isinstance(line.get("seq"), int) and line["seq"] < index:
            self._found.add("register", f"register.jsonl {line['seq']}", "次序颠倒或重复")
            line = self._next = next(self._lines, None)
        if line is None or line.get("seq") != index:
            return {}
        self._next = next(self._lines, None)
        return line

    def _remember(self, leaf: Leaf) -> None:
        size = len(self._indices.codes) * _HASH
        if len(self._commitments) < size:
            self._commitments.extend(bytes(size - len(self._commitments)))
        if len(leaf.commitment) == _HASH:
            for n, _ in leaf.statuses:
                if n * _HASH < size:
                    self._commitments[n * _HASH : (n + 1) * _HASH] = leaf.commitment

    def _check_all(self, line: Mapping[str, Any], index: int, leaf: Leaf, chain: int) -> None:
        """The rows that ought to be there, and then those that are."""
        for row in rows_of(leaf):
            if row not in line:
                message = f"台账中没有与之对应的{ROW_WORDS[row]}，疑被删除"
                self._found.add("register", place_of(index, leaf), message)
        for row, claim in line.items():
            if row != "seq":
                self._check(row, claim, index, leaf, chain)

    def _check(self, row: str, claim: Any, index: int, leaf: Leaf, chain: int) -> None:
        self.rows += 1
        keys, check = _CHECKS.get(row, ((), None))
        if check is None or type(claim) is not dict or claim.keys() != set(keys):
            self._found.add("register", place_of(index, leaf), f"register.jsonl 有无法识别的内容“{row[:40]}”")
            return
        fault = check(self, claim, leaf, chain)
        if fault == _ERASED:
            self.erased += 1
            self._without_salt.setdefault(chain, place_of(index, leaf))
        elif fault:
            key = f"{ROW_WORDS[row]} {claim.get('key', '')}".strip()
            self._found.add("register", f"{place_of(index, leaf)}，{key}", fault)

    def _intent(self, claim: Mapping[str, Any], leaf: Leaf, _chain: int) -> str:
        if claim["indices"] != [n for n, _ in leaf.statuses]:
            return "索引号与日志所计划的不符"
        return self._commitment(claim, leaf.commitment)

    def _event(self, claim: Mapping[str, Any], leaf: Leaf, _chain: int) -> str:
        same = claim["at"] == (leaf.at - _EPOCH) // _MILLISECOND
        return "" if same else "办理时间与日志不符"

    def _file(self, claim: Mapping[str, Any], leaf: Leaf, chain: int) -> str:
        if claim["sha256"] != leaf.file.hex():
            return "文件的摘要与日志不符"
        return "" if self._indices.owns(claim["n"], chain) else "文件的索引号属于另一证照（文书）"

    def _outcome(self, claim: Mapping[str, Any], _leaf: Leaf, chain: int) -> str:
        n = claim["n"]
        if not self._indices.owns(n, chain):
            return "索引号属于另一证照（文书）"
        planned = self._commitments[n * _HASH : (n + 1) * _HASH]
        if self._partial and not any(planned):
            return ""
        return self._commitment(claim, planned)

    def _use(self, claim: Mapping[str, Any], leaf: Leaf, _chain: int) -> str:
        state = leaf.kind.removeprefix("seal:")
        said = (claim["seal"], claim["use"], claim["state"], claim["sha256"])
        return "" if said == (leaf.seal, leaf.use, state, leaf.file.hex()) else "用印登记与日志不符"

    def _service(self, claim: Mapping[str, Any], leaf: Leaf, _chain: int) -> str:
        return self._commitment(claim, leaf.commitment)

    def _rows(self, claim: Mapping[str, Any], leaf: Leaf, _chain: int) -> str:
        if claim["commitment"] == leaf.commitment.hex() and not claim["differs"]:
            return ""
        differs = claim["differs"]
        named = [_row_words(str(one)) for one in differs] if isinstance(differs, list) else []
        return f"{'、'.join(named) or '有一行'} 与写入时的摘要不符，疑被改动或删除"

    def _access(self, claim: Mapping[str, Any], leaf: Leaf, _chain: int) -> str:
        same = claim["commitment"] == leaf.commitment.hex()
        return "" if same else "这一时段的查阅记录与其摘要不符，疑被改动、删除或加入"

    def _commitment(self, claim: Mapping[str, Any], planned: bytes | bytearray) -> str:
        said = claim["commitment"]
        if said == planned.hex():
            return ""
        return _ERASED if said == _ERASED else "内容与日志中的承诺不符，疑被改动"


_Check = Callable[[Register, Mapping[str, Any], Leaf, int], str]
_CHECKS: dict[str, tuple[tuple[str, ...], _Check]] = {
    "intent": (("key", "commitment", "indices"), Register._intent),
    "event": (("key", "at"), Register._event),
    "file": (("sha256", "n"), Register._file),
    "outcome": (("key", "n", "commitment"), Register._outcome),
    "use": (("seal", "use", "state", "sha256"), Register._use),
    "service": (("key", "commitment"), Register._service),
    "rows": (("commitment", "differs"), Register._rows),
    "access": (("commitment",), Register._access),
}
"""What a claim of each row must have, as an export orders it, and what judges it."""

_Belonging = tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...], _Check], ...]]


@lru_cache(maxsize=256)
def _belonging(kind: str, has_file: bool) -> _Belonging:
    """The members of the line of such a leaf as an export writes it, and how each of its rows is judged."""
    rows = _rows_of(kind, has_file)
    return ("seq", *rows) if rows else (), tuple((row, *_CHECKS[row]) for row in rows)


_PLAIN = 2  # members of a line of standing that waits for nothing


def check_standing(found: Breaches, lines: Iterator[Mapping[str, Any]], indices: Indices) -> int:
    """Step 10: the statuses as the register's tables have them equal those that follow from the journal.

    Gives how many there are; 0 when the bundle does not say.
    """
    codes, owner = indices.codes, indices.owner
    seen, size, count = bytearray(len(codes)), len(codes), 0
    for line in lines:
        n, code = line.get("n"), line.get("code")
        if len(line) == _PLAIN and type(n) is int and 0 <= n < size and code == codes[n] and owner(n) and not seen[n]:
            seen[n] = 1  # almost every line
            count += 1
            continue
        n = _number(n)
        waits = line.get("waiting") is True  # its newest leaf has no number yet
        if waits and not indices.owner(n):
            continue
        count += 1
        if not indices.owner(n) or seen[n]:
            found.add("standing", f"索引号 {n}", "台账中有此索引号，日志中没有计划；或台账重复")
            continue
        seen[n] = 1
        if not waits and code != indices.codes[n]:
            message = f"台账的状态是 {code}，由日志得出的是 {indices.codes[n]}，台账疑被改动"
            found.add("standing", f"索引号 {n}", message)
    if count and seen.count(1) != indices.planned:
        for n in range(len(seen)):
            if indices.owner(n) and not seen[n]:
                found.add("standing", f"索引号 {n}", "日志有计划，台账中没有此索引号，疑被删除")
    return count


def _row_words(name: str) -> str:
    """A row's table in words, and its key."""
    table, _, key = name.partition(" ")
    return f"{TABLE_WORDS.get(table) or ROW_WORDS.get(table, table)} {key}"[:120]


def _number(value: Any) -> int:
    """A whole number of the bundle, or one that no index has."""
    return value if type(value) is int and value >= 0 else 1 << 62
