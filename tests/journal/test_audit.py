"""The audit: an honest bundle holds, and every way of tampering is found and named."""

import hashlib
import json
import shutil
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from certlib.errors import VerificationError
from certlib.formats.leaf import Leaf
from certlib.formats.tlog_checkpoint import Checkpoint, SignedCheckpoint
from certlib.formats.tlog_note import Note
from certlib.journal.journal import journal_keys
from certlib.verify import audit_links
from certlib.verify.audit import CHECKS, AuditTrust, audit
from certlib.verify.audit_events import Breaches
from certlib.verify.bundle import FORMAT, open_bundle

from .histories import (
    JOURNAL,
    SEAL,
    START,
    TRUST,
    City,
    a_day,
    digest,
    ed25519,
    examine,
    failed,
    seal_list,
    trust_list,
    write,
)


@pytest.fixture(scope="module")
def honest() -> City:
    """An ordinary day."""
    return a_day()


@pytest.fixture(scope="module")
def bundle(honest: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle, not to be changed."""
    return honest.export(tmp_path_factory.mktemp("honest"))


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A copy of the honest bundle, to be tampered with."""
    return shutil.copytree(bundle, tmp_path / "copy")


def breach_text(path: Path, **options: object) -> str:
    report = examine(path, **options)  # type: ignore[arg-type]
    assert not report.holds
    return "\n".join(f"{breach.check} | {breach.place} | {breach.message}" for breach in report.breaches)


def test_an_honest_bundle_holds(bundle: Path, honest: City) -> None:
    """Every check passes, with the auditor's own keys and all heads kept from before."""
    report = examine(bundle, since=tuple(honest.notes()))
    assert report.breaches == ()
    assert report.holds
    assert {finding.check: finding.outcome for finding in report.findings} == dict.fromkeys(CHECKS, "pass")
    assert (report.size, report.at) == (len(honest.leaves), honest.heads[-1][1])


def test_a_bundle_in_a_tar_file_reads_the_same(bundle: Path, tmp_path: Path) -> None:
    """Read in place, nothing unpacked."""
    path = tmp_path / "bundle.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(bundle, arcname=".")
    assert examine(path) == examine(bundle)


def test_lists_are_said_to_be_unchecked_without_roots_to_check_them_with(copy: Path) -> None:
    """The auditor's own choice is no breach; the report says what was not looked at."""
    report = examine(copy, trust=replace(TRUST, trust_roots=()))
    assert report.holds
    assert set(report.unchecked) == {"status", "trust", "seal-list"}
    assert examine(copy).unchecked == ()


@pytest.mark.parametrize(
    ("name", "breach"),
    [
        ("register.jsonl", "bundle | register.jsonl | 审计包缺少文件 register.jsonl"),
        ("standing.jsonl", "bundle | standing.jsonl | 审计包缺少文件 standing.jsonl"),
        ("published.jsonl", "status | 日志第 96 条（status:published） | published.jsonl 没有说明"),
        ("status/0.cwt", "status | status | 审计包中没有第 0 片状态清单"),
        ("trust/0001.json", "trust | 日志第 94 条（trust:published） | 公布过的清单不在审计包中"),
        ("seals/0001.json", "seal-list | 日志第 95 条（seals:published） | 公布过的清单不在审计包中"),
    ],
)
def test_what_the_journal_speaks_of_and_the_bundle_lacks_is_a_breach(copy: Path, name: str, breach: str) -> None:
    """Whoever takes the register or a list out of a bundle would otherwise leave nothing to find."""
    (copy / name).unlink()
    assert breach in breach_text(copy)


def test_progress_is_told(bundle: Path, honest: City) -> None:
    """Leaves read so far, and leaves in all."""
    told: list[tuple[int, int]] = []
    with open_bundle(bundle) as opened:
        audit(opened, TRUST, progress=lambda done, size: told.append((done, size)))
    assert told[-1] == (len(honest.leaves), len(honest.leaves))


# --- files of the bundle changed, nothing signed again ---------------------------------------------------------------


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("name", "at", "sentence"),
    [
        ("tile/entries/000.p/97", 2000, "tree"),
        ("tile/entries/000.p/97", 0, "tree"),
        ("tile/0/000.p/97", 10 * 32, "与由条目算出的哈希不符，自第 10 个起共 1 个"),
        ("checkpoint", 60, "head"),
        ("checkpoints.jsonl", 158, "archive | checkpoints.jsonl 第 1 行"),
        ("status/0.cwt", -1, "status | status/0.cwt"),
        ("trust/0001.json", 60, "trust | trust/0001.json"),
    ],
)
def test_a_flipped_bit_is_found_with_its_place(copy: Path, name: str, at: int, sentence: str) -> None:
    """In entries, tiles, heads and lists."""
    flip(copy / name, at)
    assert sentence in breach_text(copy)


@pytest.mark.parametrize("name", ["tile/entries/000.p/97", "tile/0/000.p/97", "checkpoint"])
def test_a_missing_file_is_named(copy: Path, name: str) -> None:
    """A bundle that lacks what it must have does not hold."""
    (copy / name).unlink()
    assert name in breach_text(copy)


@pytest.mark.parametrize("keep", [0, 1, 100])
def test_a_cut_entry_file_is_named(copy: Path, keep: int) -> None:
    """A truncated bundle is found, whatever is left of it."""
    path = copy / "tile/entries/000.p/97"
    path.write_bytes(path.read_bytes()[:keep])
    assert "tile/entries/000.p/97" in breach_text(copy)


# --- the journal forged, everything signed again ---------------------------------------------------------------------


def edit(city: City) -> None:
    at = city.index("certificate:in-force", "c7")
    city.leaves[at] = city.leaves[at]._replace(file=digest("another file"))


def remove_revocation(city: City) -> None:
    del city.leaves[city.index("certificate:revoked")]
    shorten(city, city.index("certificate:in-force", "c20"))


def insert_backdated(city: City) -> None:
    at = city.index("certificate:planned", "c6")
    late = City()
    late.issue(40, city.leaves[at].at)
    planned, _seal, in_force = late.leaves
    city.leaves[at:at] = [planned, in_force]
    city.heads = [(size + 2 if size > at else size, when, seen) for size, when, seen in city.heads]


def swap(city: City) -> None:
    first, second = city.index("certificate:in-force", "c2"), city.index("certificate:planned", "c3")
    city.leaves[first], city.leaves[second] = city.leaves[second], city.leaves[first]


def shorten(city: City, at: int) -> None:
    city.heads = [(size - 1 if size > at else size, when, seen) for size, when, seen in city.heads]


FORGERIES: dict[str, Callable[[City], None]] = {
    "edit": edit,
    "remove a revocation": remove_revocation,
    "insert back-dated": insert_backdated,
    "swap": swap,
}


def forged(forgery: Callable[[City], None], *, witnessed: bool) -> City:
    """The day forged, chains and all made to fit, every head signed again."""
    city = a_day()
    forgery(city)
    city.relink()
    if not witnessed:
        city.heads = [(size, at, False) for size, at, _ in city.heads]
    return city


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_rewritten_history_contradicts_every_head_kept_from_it(
    forgery: Callable[[City], None], honest: City, tmp_path: Path
) -> None:
    """With the journal's key everything can be made to fit but the heads that an auditor kept: the place is named."""
    path = forged(forgery, witnessed=False).export(tmp_path)
    text = breach_text(path, since=tuple(honest.notes()), quorum=0)
    assert "archive | 审计人自存检查点 8" in text
    assert "与此检查点不符" in text
    assert "审计人自存检查点 1 |" not in text  # the empty head agrees with every history


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_a_rewritten_history_has_no_witness(forgery: Callable[[City], None], tmp_path: Path) -> None:
    """Without anything kept from before, the missing cosignatures give it away."""
    path = forged(forgery, witnessed=False).export(tmp_path)
    assert failed(examine(path, quorum=0)) <= {"seals", "times", "chains", "indices"}
    assert "head | checkpoint | 没有任何检查点有 2 个见证签名" in breach_text(path, quorum=2)


@pytest.mark.parametrize("forgery", FORGERIES.values(), ids=FORGERIES)
def test_old_cosigned_heads_left_in_the_archive_contradict_it(
    forgery: Callable[[City], None], honest: City, tmp_path: Path
) -> None:
    """A forger who keeps the witnessed heads for show is found by them."""
    path = forged(forgery, witnessed=False).export(tmp_path)
    lines = (path / "checkpoints.jsonl").read_text().splitlines()
    lines += [json.dumps({"note": note}) for note in honest.notes()[1:]]
    lines.sort(key=lambda line: int(json.loads(line)["note"].split("\n")[1]))
    (path / "checkpoints.jsonl").write_text("\n".join(lines) + "\n")
    assert "archive | checkpoints.jsonl 第" in breach_text(path)


def test_a_journal_cut_short_is_a_rollback(honest: City, tmp_path: Path) -> None:
    """A head smaller than one already signed is found, named, and never passed over."""
    city = a_day()
    city.heads = city.heads[:-3]
    path = city.export(tmp_path)
    assert examine(path).holds
    text = breach_text(path, since=(honest.notes()[-1],))
    assert f"已签过 {len(honest.leaves)} 条的检查点，最新检查点却只有" in text


def test_a_database_restored_and_grown_anew_is_a_fork(honest: City, tmp_path: Path) -> None:
    """The same length or longer than before, but another history."""
    city = a_day()
    size, *_ = city.heads[4]
    city.leaves, city.heads = city.leaves[:size], city.heads[:5]
    for number in range(50, 65):
        city.issue(number, START + timedelta(minutes=92))
    city.relink()
    city.head(START + timedelta(minutes=93), witnessed=False)
    text = breach_text(city.export(tmp_path), since=tuple(honest.notes()[5:7]))
    assert "审计人自存检查点 1" in text
    assert "审计人自存检查点 2" in text


def drop(path: Path, number: int) -> None:
    """Take a line out of a file."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    del lines[number]
    path.write_text("".join(lines), encoding="utf-8")


@pytest.mark.parametrize("number", range(7))
def test_one_older_head_taken_out_of_the_archive_is_found(copy: Path, number: int) -> None:
    """Each head names the one before it: the gap is named where it is."""
    drop(copy / "checkpoints.jsonl", number)
    assert f"archive | checkpoints.jsonl 第 {number + 1} 行 | 第 {number + 2} 个检查点所指的前一个" in breach_text(copy)


def test_the_last_heads_taken_out_of_the_archive_are_found(copy: Path) -> None:
    """The newest head must be the archive's last."""
    drop(copy / "checkpoints.jsonl", 7)
    assert "archive | checkpoints.jsonl | 历次检查点不以最新检查点结尾" in breach_text(copy)
    (copy / "checkpoints.jsonl").unlink()
    assert "archive | checkpoints.jsonl | 历次检查点不以最新检查点结尾" in breach_text(copy)


def test_one_cosignature_taken_from_an_older_head_is_found(copy: Path, honest: City) -> None:
    """Later heads name the cosignatures that were there when they were signed."""
    number = next(at for at, (_, _, witnessed) in enumerate(honest.heads) if witnessed and at)
    path = copy / "checkpoints.jsonl"
    notes = [json.loads(line)["note"] for line in path.read_text(encoding="utf-8").splitlines()]
    note = Note.parse(notes[number])
    notes[number] = replace(note, signatures=note.signatures[:-1]).encode()
    path.write_text("".join(json.dumps({"note": note}) + "\n" for note in notes), encoding="utf-8")
    size = honest.heads[number][0]
    assert breach_text(copy) == (
        f"archive | checkpoints.jsonl 第 {number + 2} 行 | {size} 条检查点下的一个见证签名已不在存档中，疑被删去"
    )


def test_a_head_without_a_number_is_found(copy: Path, honest: City) -> None:
    """Whoever holds the journal's key could else sign heads that answer for none before them."""
    lines = (copy / "checkpoints.jsonl").read_text(encoding="utf-8").splitlines()
    head = Checkpoint.parse(Note.parse(json.loads(lines[3])["note"]).text)
    bare = Note(replace(head, extension=()).text).signed(*JOURNAL, at=honest.heads[3][1]).encode()
    lines[3] = json.dumps({"note": bare})
    (copy / "checkpoints.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "archive | checkpoints.jsonl 第 4 行 | 检查点没有编号" in breach_text(copy)


def test_leaves_backdated_after_the_fact_lie_outside_their_heads(tmp_path: Path) -> None:
    """An issue added today with last week's date stands after heads that say when today is."""
    city = a_day()
    city.issue(45, START - timedelta(days=7))
    city.head(START + timedelta(minutes=95))
    text = breach_text(city.export(tmp_path))
    assert "疑为倒签" in text
    assert "日志第 99 条（certificate:in-force）" in text


def test_a_leaf_from_the_future_is_found(tmp_path: Path) -> None:
    """A time later than the next signed head."""
    city = a_day()
    city.issue(45, START + timedelta(days=1))
    city.head(START + timedelta(minutes=95))
    assert "晚于其后检查点的时间" in breach_text(city.export(tmp_path))


def test_heads_whose_witness_time_is_earlier_are_clocks_apart(copy: Path, honest: City) -> None:
    """A head that claims to be younger than the witness's signature on it."""
    _, at, _ = honest.heads[-1]
    note = Note.parse(honest.notes()[-1])
    late = Note(note.text).signed(*JOURNAL, at=at + timedelta(hours=3))
    write(copy / "checkpoint", late.with_signatures(note.signatures[len(JOURNAL) :]).encode().encode())
    assert "时钟不一致" in breach_text(copy)


def test_a_head_stripped_of_its_signed_time_is_found(copy: Path, honest: City) -> None:
    """Without the journal's own time nothing could be called back-dated."""
    note = Note.parse(honest.notes()[-1])
    kept = tuple(line for line in note.signatures if line.key_id != JOURNAL[1].verifier.key_id)
    assert len(kept) == len(note.signatures) - 1
    write(copy / "checkpoint", replace(note, signatures=kept).encode().encode())
    assert "times | checkpoint | 检查点没有日志密钥签名的时间" in breach_text(copy)


# --- breaches inside an otherwise consistent journal -----------------------------------------------------------------


def change(city: City, kind: str, chain: str = "", **parts: object) -> None:
    at = city.index(kind, chain)
    city.leaves[at] = city.leaves[at]._replace(**parts)  # type: ignore[arg-type]


BROKEN: dict[str, tuple[Callable[[City], None], str, str]] = {
    "a step is missing": (
        lambda city: change(city, "certificate:in-force", "c3", step=3),
        "chains",
        "第 3 步接在第 1 步之后",
    ),
    "a step is doubled": (
        lambda city: change(city, "certificate:in-force", "c3", step=1),
        "chains",
        "第 1 步接在第 1 步之后",
    ),
    "the previous step is another": (
        lambda city: change(city, "certificate:in-force", "c3", previous=digest("x")),
        "chains",
        "前一步被改动、调换或插入",
    ),
    "an index planned twice": (
        lambda city: change(city, "certificate:planned", "c3", statuses=((1, 15), (8, 15))),
        "indices",
        "索引号 1 被再次计划",
    ),
    "a status without a plan": (
        lambda city: change(city, "certificate:in-force", "c3", statuses=((99, 0),)),
        "indices",
        "索引号 99 没有计划就有了状态",
    ),
    "a status of a foreign certificate": (
        lambda city: change(city, "certificate:revoked", statuses=((1, 1),)),
        "indices",
        "索引号 1 属于另一证照",
    ),
    "a status outside any chain": (
        lambda city: change(city, "seal:released", statuses=((1, 0),)),
        "indices",
        "不属于任何证照",
    ),
    "an absurd index": (
        lambda city: change(city, "certificate:in-force", "c3", statuses=((2**50, 0),)),
        "indices",
        "远超已用的范围",
    ),
    "a seal use twice": (lambda city: change(city, "seal:released", use=3), "seals", "第 3 次用印被登记了两次"),
    "a seal use missing": (lambda city: change(city, "seal:released", use=0), "seals", "第 13 次用印没有记录"),
    "a use under an authorisation that nobody gave": (
        lambda city: change(city, "seal:used", commitment=bytes(range(32))),
        "seals",
        "所依的授权，此前没有登记或已经终止",
    ),
    "a counter that jumps": (
        lambda city: change(city, "seal:released", use=2**40),
        "seals",
        f"第 32 至 {2**40 - 1} 次用印没有记录",
    ),
}


@pytest.mark.parametrize(("break_it", "check", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_rule_broken_inside_is_found(
    break_it: Callable[[City], None], check: str, sentence: str, tmp_path: Path
) -> None:
    """Even when tree, tiles and heads all fit."""
    city = a_day()
    break_it(city)
    path = city.export(tmp_path)
    report = examine(path)
    assert any(breach.check == check and sentence in breach.message for breach in report.breaches), report.breaches
    assert "tree" not in failed(report)


def test_a_use_under_way_is_no_gap(tmp_path: Path) -> None:
    """A counter reserved and not closed yet, as the register says, is not missing."""
    city = a_day()
    change(city, "seal:released", use=0)
    city.open_uses = [(SEAL, 13)]
    assert examine(city.export(tmp_path)).holds


def test_bytes_that_are_no_leaf_are_named(tmp_path: Path) -> None:
    """An entry of another form stands out, the rest is checked on."""

    class Odd(Leaf):
        __slots__ = ()

        def encode(self) -> bytes:
            return b"not a leaf"

    city = a_day()
    city.add(Odd(kind="x:y", at=START))
    city.head(START + timedelta(minutes=95))
    assert "leaves | 日志第 97 条 | 不是日志条目的唯一编码" in breach_text(city.export(tmp_path))


# --- register, lists, trust ------------------------------------------------------------------------------------------


def rewrite(path: Path, edit_line: Callable[[dict[str, object]], dict[str, object] | None]) -> None:
    lines = [edit_line(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines if line is not None))


REGISTER: dict[str, tuple[Callable[[dict[str, object]], dict[str, object] | None], str]] = {
    "facts edited": (
        lambda line: {**line, "outcome": {**line["outcome"], "commitment": "00" * 32}} if "outcome" in line else line,  # type: ignore[dict-item]
        "内容与日志中的承诺不符",
    ),
    "plan edited": (
        lambda line: {**line, "intent": {**line["intent"], "indices": [1]}} if "intent" in line else line,  # type: ignore[dict-item]
        "索引号与日志所计划的不符",
    ),
    "rows deleted": (
        lambda line: {key: value for key, value in line.items() if key != "event"},
        "台账中没有与之对应的办理记录",
    ),
    "file replaced": (
        lambda line: {**line, "file": {"sha256": "00" * 32, "n": 1}} if "file" in line else line,
        "文件的摘要与日志不符",
    ),
    "file of another": (
        lambda line: {**line, "file": {**line["file"], "n": 5}} if "file" in line else line,  # type: ignore[dict-item]
        "索引号属于另一证照",
    ),
    "date edited": (
        lambda line: {**line, "event": {"key": "e", "at": 1}} if "event" in line else line,
        "办理时间与日志不符",
    ),
    "seal use edited": (
        lambda line: {**line, "use": {**line["use"], "state": "released"}} if "use" in line else line,  # type: ignore[dict-item]
        "用印登记与日志不符",
    ),
    "all lines of a leaf gone": (lambda line: None if line["seq"] == 3 else line, "疑被删除"),
    "nonsense": (lambda line: {**line, "gold": {}}, "无法识别的内容"),
}


@pytest.mark.parametrize(("edit_line", "sentence"), REGISTER.values(), ids=REGISTER)
def test_a_register_that_differs_from_the_journal_is_found(
    edit_line: Callable[[dict[str, object]], dict[str, object] | None], sentence: str, copy: Path
) -> None:
    """Each row edited or deleted in the database contradicts its leaf."""
    rewrite(copy / "register.jsonl", edit_line)
    assert sentence in breach_text(copy)


def test_a_row_added_behind_the_journals_back_is_found(copy: Path) -> None:
    """A certificate put into the database without a leaf."""
    with (copy / "register.jsonl").open("a") as file:
        file.write(json.dumps({"seq": None, "row": "file", "key": "ab12"}) + "\n")
    assert "register | 文件登记 ab12 | 日志中没有与之对应的条目" in breach_text(copy)


def test_lines_of_no_leaf_or_out_of_order_are_found(copy: Path) -> None:
    """A leaf that does not exist, and a line that comes too late."""
    with (copy / "register.jsonl").open("a") as file:
        file.write(json.dumps({"seq": 3, "file": {}}) + "\n" + json.dumps({"seq": 1000, "file": {}}) + "\n")
    text = breach_text(copy)
    assert "register.jsonl 3 | 次序颠倒或重复" in text
    assert "register.jsonl 1000 | 所指的日志条目不存在，或次序颠倒" in text


def test_erased_contents_are_counted_when_the_journal_says_so(tmp_path: Path) -> None:
    """A salt deleted by the office leaves a commitment that can no longer be compared; one deleted to hide is found."""
    city = a_day()
    for number in range(30):
        city.link(f"c{number}", "certificate:erased", START + timedelta(minutes=93))
    city.head(START + timedelta(minutes=95))
    for name, told, holds in (("said", 30, True), ("hidden", 29, False)):
        honest = replace(city, leaves=[*city.leaves], heads=[*city.heads])
        if not holds:
            honest.leaves[honest.index("certificate:erased", "c7")] = Leaf(kind="key:added", at=city.heads[-1][1])
        path = honest.export(tmp_path / name)
        rewrite(path / "register.jsonl", without_salt)
        report = examine(path)
        assert (report.holds, report.erased) == (holds, 30)
        assert told == 30 - len(report.breaches)
    (breach,) = report.breaches
    assert breach.message == "盐值已被删除，日志中却没有依法删除的登记：疑为掩盖改动"
    assert breach.place == f"日志第 {city.index('certificate:in-force', 'c7')} 条（certificate:in-force）"


def without_salt(line: dict[str, object]) -> dict[str, object]:
    return {**line, "outcome": {**line["outcome"], "commitment": "erased"}} if "outcome" in line else line  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("edit_line", "sentence"),
    [
        (lambda line: {**line, "code": 0} if line["n"] == 9 else line, "台账的状态是 0，由日志得出的是 1"),
        (lambda line: None if line["n"] == 9 else line, "索引号 9 | 日志有计划，台账中没有此索引号"),
        (lambda line: {**line, "n": 10} if line["n"] == 9 else line, "台账重复"),
        (lambda line: {**line, "n": 12345} if line["n"] == 9 else line, "日志中没有计划"),
    ],
)
def test_a_state_changed_in_the_tables_alone_is_found(
    edit_line: Callable[[dict[str, object]], dict[str, object] | None], sentence: str, copy: Path
) -> None:
    """A revocation undone by an UPDATE, a row deleted, an index doubled or invented."""
    rewrite(copy / "standing.jsonl", edit_line)
    assert sentence in breach_text(copy)


def test_a_status_list_that_hides_a_revocation_is_found(copy: Path, honest: City) -> None:
    """A list with 0 where the journal says revoked names the index."""
    lying = a_day()
    change(lying, "certificate:revoked", statuses=((9, 0), (10, 0)))
    size, at, _ = honest.heads[-1]
    write(copy / "status" / "0.cwt", lying.status_list(size, at))
    text = breach_text(copy)
    assert "索引号 9 在清单中为 0，由日志得出的是 1" in text
    assert "索引号 10 在清单中为 0，由日志得出的是 1" in text


def test_lists_of_past_sizes_are_compared_with_the_statuses_of_then(copy: Path, honest: City) -> None:
    """Every list ever published is checked at the journal size it names, not at today's."""
    for number in (0, 3, 5):
        size, at, _ = honest.heads[number]
        write(copy / "status" / f"old-{number}.cwt", honest.status_list(size, at))
    report = examine(copy)
    assert report.holds
    assert (
        next(finding.detail for finding in report.findings if finding.check == "status")
        == "状态清单：4 份，公布登记 1 次"
    )


def test_a_list_from_a_longer_journal_is_a_rollback(tmp_path: Path, honest: City) -> None:
    """A published list that was computed from leaves this journal no longer has."""
    city = a_day()
    size, at, _ = honest.heads[-1]
    city.heads = city.heads[:-3]
    path = city.export(tmp_path)
    write(path / "trust" / "0001.json", trust_list())
    write(path / "status" / "9.cwt", honest.status_list(size, at))
    assert f"由 {size} 条日志算出，日志却只有" in breach_text(path)


def test_a_trust_list_out_of_sequence_is_found(copy: Path) -> None:
    """A trust list that takes an earlier one's place."""
    write(copy / "trust" / "0002.json", trust_list(seq=1))
    assert "trust | trust/0002.json | 序号 1 不大于前一份的 1" in breach_text(copy)


def test_a_trust_list_without_a_leaf_and_a_leaf_without_its_list_are_found(copy: Path) -> None:
    """A list that was never journalled, and one that was published and is kept from the auditor."""
    write(copy / "trust" / "0002.json", trust_list(seq=2))
    assert breach_text(copy) == "trust | trust/0002.json | 日志中没有这份清单的公布登记"
    (copy / "trust" / "0001.json").unlink()
    assert "trust | 日志第 94 条（trust:published） | 公布过的清单不在审计包中，疑被隐去" in breach_text(copy)


def test_lists_published_in_another_order_than_numbered_are_found(tmp_path: Path) -> None:
    """The second list of seals was published before the first."""
    city = a_day()
    at = city.index("seals:published")
    second = Leaf(kind="seals:published", at=city.leaves[at].at, commitment=hashlib.sha256(seal_list(2)).digest())
    city.leaves[at] = second
    city.publish(START + timedelta(minutes=91))
    first = second._replace(commitment=hashlib.sha256(seal_list()).digest())
    city.leaves[-1] = first
    city.head(START + timedelta(minutes=93))
    path = city.export(tmp_path)
    write(path / "seals" / "0002.json", seal_list(2))
    assert breach_text(path) == "seal-list | seals/0001.json | 各期清单的次序与日志中公布的次序不符"


PUBLISHED: dict[str, tuple[Callable[[Path], object], str]] = {
    "made of fewer leaves": (
        lambda path: path.write_text('{"seq": 96, "shard": 0, "size": 70}\n'),
        "status | 日志第 96 条（status:published） | 公布过的状态清单与由日志得出的状态不符",
    ),
    "of another shard": (
        lambda path: path.write_text('{"seq": 96, "shard": 1, "size": 96}\n'),
        "status | 日志第 96 条（status:published） | 公布过的状态清单与由日志得出的状态不符",
    ),
    "not said": (lambda path: path.unlink(), "没有说明这份状态清单由多少条日志算出"),
    "of another leaf": (
        lambda path: path.write_text('{"seq": 95, "shard": 0, "size": 95}\n'),
        "status | published.jsonl | 日志 97 条中没有第 95 条公布登记",
    ),
    "nonsense": (
        lambda path: path.write_text('{"seq": true, "shard": -1, "size": 1e9}\n'),
        "status | published.jsonl 第 1 行 | 无法识别，或次序颠倒",
    ),
}


@pytest.mark.parametrize(("edit_it", "sentence"), PUBLISHED.values(), ids=PUBLISHED)
def test_a_publication_of_statuses_is_held_to_the_journal(
    edit_it: Callable[[Path], object], sentence: str, copy: Path
) -> None:
    """What a leaf says was published must be what the leaves before it gave."""
    edit_it(copy / "published.jsonl")
    assert sentence in breach_text(copy)


def test_statuses_published_other_than_journalled_are_found(tmp_path: Path) -> None:
    """A list that showed a revoked certificate as valid, though the journal had the revocation."""
    city, lying = a_day(), a_day()
    change(lying, "certificate:revoked", statuses=((9, 0), (10, 0)))
    change(city, "status:published", commitment=lying.packed_digest(96))
    assert breach_text(city.export(tmp_path)) == (
        "status | 日志第 96 条（status:published） | 公布过的状态清单与由日志得出的状态不符"
    )


def test_a_status_list_in_use_that_nobody_journalled_is_found(tmp_path: Path) -> None:
    """A change may wait ten minutes for its leaf, not longer."""
    city = a_day()
    city.revoke(7, START + timedelta(minutes=91))
    for minutes, holds in ((100, True), (102, False)):
        city.head(START + timedelta(minutes=minutes))
        report = examine(city.export(tmp_path / str(minutes)))
        assert report.holds is holds
    assert [(breach.check, breach.place, breach.message) for breach in report.breaches] == [
        ("status", "status/0.cwt", "日志中没有这份清单的公布登记")
    ]


def test_a_file_drawn_elsewhere_is_looked_for_in_the_leaves(copy: Path) -> None:
    """An issued file is registered; one made outside the system is not."""
    report = examine(copy, files={"a.pdf": digest("file", 3)})
    assert report.holds
    assert report.findings[-1].as_json() == {"check": "files", "outcome": "pass", "detail": "抽查文件：1 份"}
    text = breach_text(copy, files={"a.pdf": digest("file", 3), "b.pdf": digest("forged")})
    assert text == "files | b.pdf | 日志中没有登记这份文件：不是签发原件，或是在系统之外制作的"


# --- bad bundles -----------------------------------------------------------------------------------------------------


def test_a_bundle_of_another_journal_is_named(copy: Path, honest: City) -> None:
    """An archived head of another origin, and a bundle whose key the auditor does not have."""
    other = AuditTrust(journal=[key.verifier for key in JOURNAL[:0]])
    assert "head | checkpoint" in breach_text(copy, trust=other)
    strange = honest.notes()[0].replace("journal.ganzhou", "journal.elsewhere")
    assert "archive | 审计人自存检查点 1" in breach_text(copy, since=(strange,))


def test_an_unknown_witness_counts_for_nothing(copy: Path) -> None:
    """Cosignatures of keys that the auditor does not know are ignored."""
    strangers = replace(TRUST, witnesses=[key.verifier for key in JOURNAL[:0]])
    assert "没有任何检查点有 2 个见证签名" in breach_text(copy, trust=strangers)


def test_an_unknown_witness_is_named(copy: Path) -> None:
    """The auditor sees whose cosignatures there are, and that theirs are not among the keys given."""
    text = breach_text(copy, trust=replace(TRUST, witnesses=TRUST.witnesses[:1]))
    assert "另有“witness-audit”的签名" in text


def test_a_journal_without_witnesses_asked_for_is_not_said_to_be_witnessed(copy: Path) -> None:
    """No breach, but not a clean report either."""
    report = examine(copy, quorum=0)
    assert report.holds
    assert report.unchecked == ("head",)
    assert "未核对见证" in report.findings[1].detail


def test_a_head_from_the_auditors_future_is_clocks_apart(copy: Path, honest: City) -> None:
    """By more than a minute; a head of the past is none, however old."""
    at = START + timedelta(minutes=92)
    with open_bundle(copy) as bundle:
        early = audit(bundle, TRUST, quorum=2, now=at - timedelta(minutes=2))
        assert audit(bundle, TRUST, quorum=2, now=at - timedelta(seconds=30)).holds
        assert audit(bundle, TRUST, quorum=2, now=at + timedelta(days=900)).holds
    (breach,) = early.breaches
    assert (breach.check, breach.place) == ("times", "checkpoint")
    assert "晚于本机的" in breach.message


def test_what_a_bundle_says_commands_no_terminal(copy: Path) -> None:
    """Control characters and endless texts of a bundle do not come through in a breach."""
    write(copy / "bundle.json", json.dumps({"format": "\x1b[2J\r" + "x" * 10_000}).encode())
    (breach,) = examine(copy).breaches
    assert breach.message.isprintable()
    assert len(breach.message) < 200
    line = {"seq": None, "row": "file", "key": "\x1b]0;" + "k" * 10_000}
    write(copy / "bundle.json", b"")
    write(copy / "register.jsonl", json.dumps(line).encode())
    assert all(one.place.isprintable() and len(one.place) <= 201 for one in examine(copy).breaches)


def test_leaves_not_yet_witnessed_are_counted(tmp_path: Path) -> None:
    """A head signed a moment ago may lack its cosignatures; for a whole day it may not."""
    city = a_day()
    city.issue(45, START + timedelta(minutes=93))
    city.head(START + timedelta(minutes=95), witnessed=False)
    report = examine(city.export(tmp_path / "fresh"))
    assert report.holds
    assert report.findings[1].detail == "最新检查点：100 条，最后 3 条尚未见证"
    city.head(START + timedelta(days=2), witnessed=False)
    assert "超过一天没有见证" in breach_text(city.export(tmp_path / "stale"))


@pytest.mark.parametrize("data", [b"", b"not a tar file", b"\x1f\x8b" + b"x" * 600, b"x" * 10_000])
def test_what_is_no_bundle_is_said_so(tmp_path: Path, data: bytes) -> None:
    """Neither a folder nor a plain tar; a compressed one is never unpacked."""
    path = tmp_path / "file"
    path.write_bytes(data)
    with pytest.raises(VerificationError, match="审计包"), open_bundle(path):
        pass
    with pytest.raises(VerificationError), open_bundle(tmp_path / "none"):
        pass


def test_a_tar_with_links_or_doubled_names_is_refused(tmp_path: Path) -> None:
    """A link could lead out of the bundle, a second file hide the first."""
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE):
        member = tarfile.TarInfo("checkpoint")
        member.type, member.linkname = kind, "/etc/passwd"
        with tarfile.open(tmp_path / "bad.tar", "w") as archive:
            archive.addfile(member)
        with pytest.raises(VerificationError), open_bundle(tmp_path / "bad.tar"):
            pass
    with tarfile.open(tmp_path / "double.tar", "w") as archive:
        for _ in range(2):
            archive.addfile(tarfile.TarInfo("checkpoint"))
    with pytest.raises(VerificationError, match="重复"), open_bundle(tmp_path / "double.tar"):
        pass


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("register.jsonl", b"{"),
        ("register.jsonl", b"[]\n"),
        ("register.jsonl", b"[" * 5000 + b"\n"),
        ("register.jsonl", b'{"seq": 0, "intent": "' + b"x" * 2_000_000 + b'"}\n'),
        ("checkpoints.jsonl", b'{"note": 5}\n'),
        ("checkpoints.jsonl", b"\xff\xfe\n"),
        ("checkpoint", b"x" * 100_000),
        ("standing.jsonl", b'{"n": "a", "code": []}\n'),
        ("status/0.cwt", b""),
        ("trust/0001.json", b"{}"),
    ],
)
def test_malformed_files_are_findings_and_never_exceptions(copy: Path, name: str, data: bytes) -> None:
    """Everything in a bundle is bad input."""
    (copy / name).write_bytes(data)
    assert breach_text(copy)


def test_a_key_of_another_journal_with_the_same_name_does_not_pass(copy: Path) -> None:
    """The name alone is nothing."""
    forger = [key.verifier for key in journal_keys(JOURNAL[0].verifier.name, ed25519(b"f"))]
    assert "同名而密钥不同" in breach_text(copy, trust=replace(TRUST, journal=forger))


def test_a_bundle_of_another_form_is_not_read(copy: Path) -> None:
    """It is named, and nothing is said of contents that this program does not understand."""
    (copy / "bundle.json").write_text('{"format": "certlib-bundle/99"}\n', encoding="utf-8")
    (copy / "checkpoints.jsonl").write_text("of another form\n", encoding="utf-8")
    assert breach_text(copy) == "bundle | bundle.json | 审计包的格式是“certlib-bundle/99”，本程序只懂“" + FORMAT + "”"


def test_the_cosignatures_in_memory_are_bounded(honest: City, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the archive: the newest stay, and the heads that name them still find them."""
    monkeypatch.setattr(audit_links, "WINDOW", 8)
    found = Breaches()
    links = audit_links.Links(found)
    for number, text in enumerate(honest.notes()):
        note = Note.parse(text)
        links.take(SignedCheckpoint(Checkpoint.parse(note.text), note, None, {}), str(number))
        assert len(links._lines) <= 8
    assert found.kept == []
