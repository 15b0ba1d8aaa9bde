"""The audit of a bundle: everything is computed anew from the entries, and each breach is named with its place.

    0 bundle    it is a bundle of our form, and what the journal speaks of is in it and can be read
    1 head      the newest checkpoint is signed by the journal and cosigned by enough witnesses
    2 archive   every archived checkpoint is signed, none is larger than the head, each has the root of the tree then,
                names the one before and finds the cosignatures it names: none is missing
    3 tree      entries give the tiles, the tiles give the root
    4 leaves    each entry is a leaf in its one encoding
    5 chains    steps of a certificate or document without gap, each naming the one before
    6 indices   each index n planned exactly once, and only its own chain speaks of it
    7 seals     counters of each seal dense over used and released; each use under an authorisation journalled before
    8 times     between the signed times of the neighbouring heads, and none later than the auditor's own clock
    9 register  leaves and rows of the register in one-to-one correspondence
   10 standing  statuses in the register's tables = statuses from the journal
   11 status    published status lists = statuses rebuilt from the journal, and each publication journalled as it was
   12 trust     trust lists signed, in sequence, each with its leaf; likewise the seal lists
   13 files     files that the auditor drew from elsewhere are those that the journal registered

Read in one pass; memory grows with the number of certificates and indices, not with the events.

    with open_bundle(path) as bundle:
        report = audit(bundle, AuditTrust(journal=keys, witnesses=witness_keys), since=[old_note], quorum=2)
    for breach in report.breaches: ...
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from certlib.domain.verdict import Finding
from certlib.errors import VerificationError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog import CompactRange, leaf_hash
from certlib.formats.tlog_checkpoint import SignedCheckpoint
from certlib.formats.tlog_note import VerifierKey
from certlib.formats.tlog_tiles import ENTRIES, WIDTH, TilePlace, split_entries, tile_width
from certlib.verify.audit_events import Breach, Breaches, Chains, Indices, Seals, Times, place_of
from certlib.verify.audit_files import Files
from certlib.verify.audit_heads import Heads, Witnessing
from certlib.verify.audit_lists import Lists
from certlib.verify.audit_published import Publications
from certlib.verify.audit_register import Register, check_standing
from certlib.verify.audit_tree import Tiles
from certlib.verify.bundle import ABOUT, CHECKPOINT, FORMAT, MAX_ENTRIES, PUBLISHED, REGISTER, STANDING, Bundle

TOLERANCE = timedelta(minutes=1)
"""How long an event may take from its time to its commit, and how far clocks may be apart."""

CHECKS = {
    "bundle": "审计包",
    "head": "最新检查点",
    "archive": "历次检查点",
    "tree": "日志树",
    "leaves": "日志条目",
    "chains": "每证（文书）各步相接",
    "indices": "索引号",
    "seals": "用印计数",
    "times": "时间",
    "register": "台账与日志对应",
    "standing": "台账状态",
    "status": "状态清单",
    "trust": "信任清单",
    "seal-list": "印章清单",
}
"""The checks of every audit, in words; `files` is told of besides when the auditor drew some."""

_FILES = {"files": "抽查文件"}
_OPTIONAL = frozenset({"register", "standing", "status", "trust", "seal-list"})

_NO_FILES: Mapping[str, bytes] = {}

Progress = Callable[[int, int], None]
"""Told how many leaves are read, and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditTrust:
    """What the auditor trusts, from elsewhere: public keys of the journal, of witnesses, of the trust list."""

    journal: Collection[VerifierKey]
    witnesses: Collection[VerifierKey] = ()
    trust_roots: Sequence[bytes] = ()  # SubjectPublicKeyInfo, DER; empty: lists are not checked


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """What the audit found. `size` leaves were read; `findings` has one line per check."""

    origin: str
    size: int
    root: bytes
    at: datetime | None  # the head's signed time
    findings: tuple[Finding, ...]
    breaches: tuple[Breach, ...]  # the first 200 of each check
    breach_count: int
    erased: int  # contents whose salt was deleted: they can no longer be compared

    @property
    def holds(self) -> bool:
        """Whether nothing was found."""
        return self.breach_count == 0

    @property
    def unchecked(self) -> tuple[str, ...]:
        """The checks that were not made, or not wholly: of these nothing is said."""
        return tuple(finding.check for finding in self.findings if finding.outcome in {"unknown", "warn"})


def audit(
    bundle: Bundle,
    trust: AuditTrust,
    *,
    since: Sequence[str] = (),
    quorum: int = 0,
    tolerance: timedelta = TOLERANCE,
    files: Mapping[str, bytes] = _NO_FILES,
    now: datetime | None = None,
    progress: Progress | None = None,
) -> AuditReport:
    """Check a bundle against the auditor's own keys, and against notes of checkpoints kept since earlier audits.

    `files` are SHA-256 digests by name, of issued files that the auditor drew elsewhere; `now` is the auditor's own
    time, which no head may be ahead of. Never raises for what is wrong with the bundle.
    """
    found = Breaches()
    heads = Heads(found, trust.journal, trust.witnesses, tolerance)
    work = _Audit(bundle, trust, found, heads, Files(found, files))
    try:
        head = work.heads.open(bundle, since) if _know_format(bundle, found) else None
        if head is not None:
            heads.compare_clocks(now)
            work.read(head, Witnessing(quorum), progress or (lambda _done, _all: None))
    except VerificationError as error:  # a file of the bundle that cannot be read at all
        found.add("bundle", *_what(error))
    return work.report()


def unreadable(error: VerificationError) -> AuditReport:
    """The report on what cannot even be opened as a bundle."""
    found = Breaches()
    found.add("bundle", *_what(error))
    checks = [Finding(check, "unknown", f"{words}：未能查完") for check, words in CHECKS.items() if check != "bundle"]
    findings = (Finding("bundle", "fail", f"{CHECKS['bundle']}：1 处问题"), *checks)
    return AuditReport(
        origin="", size=0, root=b"", at=None, findings=findings, breaches=tuple(found.kept), breach_count=1, erased=0
    )


def _what(error: VerificationError) -> tuple[str, str]:
    return str(error.extra.get("file") or "审计包"), error.message


def _know_format(bundle: Bundle, found: Breaches) -> bool:
    """A bundle that says of itself that it is of another form is not read as if it were of ours."""
    files = set(bundle.names(""))
    if not files & {ABOUT, CHECKPOINT}:
        inner = "、".join(bundle.within())
        hint = f"其中的 {inner} 像是审计包，请直接审计它" if inner else "请给出 certctl bundle 导出的文件夹或 .tar 文件"
        found.add("bundle", "审计包", f"不是审计包，或残缺：没有 {ABOUT} 和 {CHECKPOINT}；{hint}")
        return False
    try:
        about = next(bundle.lines(ABOUT), {})
    except VerificationError as error:
        found.add("bundle", ABOUT, error.message)
        return True  # damaged, and said so; the rest is looked at
    form = about.get("format", FORMAT)
    if form != FORMAT:
        found.add("bundle", ABOUT, f"审计包的格式是“{str(form)[:40]}”，本程序只懂“{FORMAT}”")
    return bool(form == FORMAT)


class _Audit:
    """One audit in progress."""

    def __init__(self, bundle: Bundle, trust: AuditTrust, found: Breaches, heads: Heads, files: Files) -> None:
        self.heads, self._files = heads, files
        self._bundle, self._found = bundle, found
        self._tree, self._tiles = CompactRange(), Tiles(bundle, found)
        self._chains, self._indices, self._seals = Chains(found), Indices(found), Seals(found)
        self._times = Times(found, heads.tolerance)
        self._lists = Lists(bundle, found, trust.trust_roots)
        self._publications: Publications | None = None
        self._register: Register | None = None
        self._details: dict[str, str] = {}
        self._witnessed = True  # cosignatures are asked for
        self._complete = False

    def read(self, head: SignedCheckpoint, witnessing: Witnessing, progress: Progress) -> None:
        """(2)–(12): one pass over the entries."""
        self._witnessed = witnessing.wanted
        size = head.checkpoint.size
        register = Register(self._found, self._bundle.lines(REGISTER), self._indices)
        self._register = register if register.present else None
        self._lists.open(size)
        self._publications = Publications(self._found, self._bundle.lines(PUBLISHED))
        self._compare(witnessing)
        while self._tree.size < size:
            if not self._take_bundle(size, witnessing):
                return
            progress(self._tree.size, size)
        self._tiles.finish(size)
        register.finish()
        self._seals.finish(register.open_uses)
        self._publications.finish(size)
        self._lists.match(self._publications, self._indices.high_water)
        standing = check_standing(self._found, self._bundle.lines(STANDING), self._indices)
        self._name_missing(size)
        self._details = {
            "head": witnessing.finish(head, self._found),
            "standing": f"{standing} 个索引号" if standing or not self._indices.planned else "",
            "register": f"{register.rows} 行" if register.present else "",
            "files": self._files.finish(),
        }
        self._complete = True

    def _name_missing(self, size: int) -> None:
        """(0): a part left out would be one that nobody looks at."""
        needed = {REGISTER: size > 0, STANDING: self._indices.planned > 0}
        for name in sorted(name for name, needs in needed.items() if needs and name not in self._bundle.names("")):
            self._found.add("bundle", name, f"审计包缺少文件 {name}：导出不全，或被拿走")

    def report(self) -> AuditReport:
        """The findings: one line per check, and the breaches."""
        found, head = self._found, self.heads.head
        return AuditReport(
            origin=head.checkpoint.origin if head else "",
            size=self._tree.size,
            root=self._tree.root(),
            at=head.at if head else None,
            findings=tuple(self._finding(check) for check in (CHECKS | _FILES if self._files.drawn else CHECKS)),
            breaches=tuple(found.kept),
            breach_count=found.counts.total(),
            erased=self._register.erased if self._register else 0,
        )

    def _finding(self, check: str) -> Finding:
        words, count = (CHECKS | _FILES)[check], self._found.counts[check]
        if count:
            return Finding(check, "fail", f"{words}：{count} 处问题")
        if not self._complete:
            return Finding(check, "unknown", f"{words}：未能查完")
        details = (
            self._details
            | {
                "tree": f"{self._tree.size} 条",
                "chains": f"{len(self._chains)} 条链",
                "indices": f"{self._indices.planned} 个",
                "seals": f"{self._seals.uses} 次",
                "status": self._status_detail(),
            }
            | {check: f"{count} 份" if count else "" for check, count in self._lists.trusted.items()}
        )
        if check in _OPTIONAL and not details.get(check):
            return Finding(check, "unknown", f"{words}：审计包未提供，或未给出信任根")
        if check == "head" and not self._witnessed:
            return Finding(check, "warn", f"{words}：{details[check]}；没有要求见证签名，未核对见证")
        return Finding(check, "pass", f"{words}：{details.get(check) or '相符'}")

    def _status_detail(self) -> str:
        told = self._publications.compared if self._publications else 0
        parts = (f"{self._lists.compared} 份" if self._lists.compared else "", f"公布登记 {told} 次" if told else "")
        return "，".join(filter(None, parts)) if self._lists.compared else ""

    def _compare(self, witnessing: Witnessing) -> None:
        """(2), (8), (11): what is to be compared at the present size, and between which heads the next leaves lie."""
        before, root = None, b""
        heads = self.heads
        while heads.next is not None and heads.next.size == self._tree.size:
            point = heads.take()
            root = root or self._tree.root()
            if point.root == root:
                witnessing.take(point)
            else:
                check = "tree" if point.place == CHECKPOINT else "archive"
                message = (
                    f"由前 {point.size} 条算出的根与此检查点不符：此前的条目被改动、插入、删除或调换，或有两个版本"
                )
                self._found.add(check, point.place, message)
            before = max(filter(None, (before, point.at)), default=None)
        for published in (self._lists, self._publications):
            while published is not None and published.next_size == self._tree.size:
                published.compare(self._indices)
        self._times.between(before, heads.next.at if heads.next else None)

    def _take_bundle(self, size: int, witnessing: Witnessing) -> bool:
        """(3): one bundle of entries; False when the pass cannot go on."""
        index = self._tree.size // WIDTH
        place = TilePlace(ENTRIES, index, tile_width(ENTRIES, index, size))
        try:
            data = self._bundle.read(place.path, MAX_ENTRIES)
        except VerificationError as error:
            self._found.add("bundle", place.path, error.message)
            return False
        try:
            entries = split_entries(data)
        except VerificationError as error:
            self._found.add("tree", place.path, error.message)
            return False
        if len(entries) != place.width:
            self._found.add("tree", place.path, f"有 {len(entries)} 条，应有 {place.width} 条")
            return False
        hashes = [leaf_hash(entry) for entry in entries]
        self._tiles.leaves(index, hashes)
        for start, end in pairwise(self._cuts(len(entries))):
            self._take_leaves(entries, hashes, start, end)
            self._compare(witnessing)
        return True

    def _cuts(self, width: int) -> Iterator[int]:
        """Where in this bundle something is to be compared: its ends, and sizes of heads and lists within."""
        first, at = self._tree.size, 0
        while at < width:
            yield at
            sizes = (
                self.heads.next.size if self.heads.next else None,
                self._lists.next_size,
                self._publications.next_size if self._publications else None,
            )
            at = min((size - first for size in sizes if size is not None and at < size - first < width), default=width)
        yield width

    def _take_leaves(self, entries: list[bytes], hashes: list[bytes], start: int, end: int) -> None:
        first = self._tree.size - start
        for at in range(start, end):
            self._take_leaf(first + at, entries[at], hashes[at])
        if end - start == WIDTH:
            self._tree.append_subtree(self._tiles.folded, WIDTH)
        else:
            self._tree.extend(hashes[start:end])

    def _take_leaf(self, index: int, entry: bytes, digest: bytes) -> None:
        """(4)–(9): one leaf."""
        try:
            leaf = Leaf.decode(entry)
        except ValueError:
            self._found.add("leaves", f"日志第 {index} 条", "不是日志条目的唯一编码")
            return
        kind, at, _commitment, links, _step, _previous, statuses, file, seal, use = leaf
        chain = self._chains.take(index, leaf, digest) if links else 0
        if chain and statuses:
            self._indices.take(index, leaf, chain)
        elif statuses:
            self._found.add("indices", place_of(index, leaf), "有索引号而不属于任何证照（文书）")
        if seal:
            self._seals.note(index, leaf)
        if use and kind != "seal:denied":
            self._seals.take(index, leaf)
        if chain and file:
            self._files.take(file)
        if self._publications is not None and kind.endswith(":published"):
            self._publications.take(index, leaf)
        if not self._times.earliest <= at <= self._times.latest:
            self._times.name(index, leaf)
        if self._register is not None:
            self._register.take(index, leaf, chain)
