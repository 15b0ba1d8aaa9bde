"""`certctl audit` on bundles that are not what they should be: a sentence with the place, exit code 1, no traceback."""

import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from typer.testing import CliRunner

from certlib.cli.main import application
from certlib.errors import ConfigurationError
from certlib.formats.tlog_note import Note
from certlib.verify.audit import CHECKS
from certlib.verify.audit_meanings import ADVICE
from tests.journal.histories import JOURNAL, START, TRUST_KEY, WITNESSES, City, a_day, write

# who runs the tests may be allowed everything
_MAIN = "from certlib.cli.main import main; main()"
_DROPPED = "-dac_override,-dac_read_search"
_WITHOUT_PRIVILEGES = ["setpriv", "--bounding-set", _DROPPED, "--inh-caps", _DROPPED] if os.geteuid() == 0 else []


def audited(path: Path, *options: str) -> Result:
    """The command, with the keys of the test's journal, its witnesses and its lists."""
    words = command(path, *options)
    return CliRunner().invoke(application(words), words)


def command(path: Path, *options: str) -> list[str]:
    """Its words."""
    keys, witnesses = path.parent / "keys", path.parent / "witnesses"
    keys.write_text("".join(f"{key.verifier}\n" for key in JOURNAL), encoding="utf-8")
    witnesses.write_text("".join(f"{key.verifier}\n" for key in WITNESSES), encoding="utf-8")
    public = load_der_public_key(TRUST_KEY.public_key)
    write(path.parent / "roots" / "lists.pem", public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    trusted = ("--keys", str(keys), "--witnesses", str(witnesses), "--trust", str(path.parent / "roots"))
    return ["audit", str(path), *trusted, *(options or ("--json",))]


def sentence_of(done: Result) -> str:
    """What was found, in words; whatever is wrong with a bundle ends in a report, never in an error."""
    assert isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == 1
    return "\n".join(f"{one['place']} | {one['message']}" for one in json.loads(done.stdout)["breaches"])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """An honest bundle."""
    path = a_day().export(tmp_path / "bundle")
    write(path / "bundle.json", json.dumps({"format": "certlib-bundle/1"}).encode())
    return path


def tarred(folder: Path, *more: tarfile.TarInfo) -> Path:
    """The bundle as a tar file, with more members."""
    path = folder.with_suffix(".tar")
    with tarfile.open(path, "w") as archive:
        archive.add(folder, arcname=".")
        for member in more:
            archive.addfile(member, io.BytesIO(bytes(min(member.size, 1 << 10))))
    return path


def test_an_honest_bundle_ends_with_zero(bundle: Path) -> None:
    """What is found below is found because it was done."""
    assert audited(bundle).exit_code == 0
    assert audited(tarred(bundle)).exit_code == 0


def cut(bundle: Path) -> Path:
    path = tarred(bundle)
    os.truncate(path, path.stat().st_size // 2)
    return path


def cut_between(bundle: Path) -> Path:
    """At the end of a member, where a tar file looks whole but for its end mark."""
    path = tarred(bundle)
    with tarfile.open(path) as archive:
        last = archive.getmembers()[-1]
    os.truncate(path, last.offset)
    return path


def nothing(bundle: Path) -> Path:
    write(bundle.with_suffix(".tar"), b"")
    return bundle.with_suffix(".tar")


def empty_folder(bundle: Path) -> Path:
    (bundle.parent / "empty").mkdir()
    return bundle.parent / "empty"


def a_folder_around(bundle: Path) -> Path:
    (bundle.parent / "outer").mkdir()
    bundle.rename(bundle.parent / "outer" / "bundle")
    return bundle.parent / "outer"


def a_tar_around(bundle: Path) -> Path:
    inner = tarred(bundle)
    with tarfile.open(bundle.parent / "outer.tar", "w") as archive:
        archive.add(inner, arcname="inner.tar")
    return bundle.parent / "outer.tar"


def pdf(bundle: Path) -> Path:
    write(bundle.with_suffix(".pdf"), b"%PDF-1.7\n" + b"x" * 4000)
    return bundle.with_suffix(".pdf")


def database(bundle: Path) -> Path:
    write(bundle.with_suffix(".db"), b"SQLite format 3\0" + bytes(4000))
    return bundle.with_suffix(".db")


def pipe(bundle: Path) -> Path:
    (bundle / "register.jsonl").unlink()
    os.mkfifo(bundle / "register.jsonl")
    return bundle


def loop(bundle: Path) -> Path:
    (bundle / "register.jsonl").unlink()
    (bundle / "register.jsonl").symlink_to("register.jsonl")
    return bundle


def looped_folder(bundle: Path) -> Path:
    shutil.rmtree(bundle / "trust")
    (bundle / "trust").symlink_to("trust")
    return bundle


def nested(bundle: Path) -> Path:
    write(bundle / "register.jsonl", b'{"a":' * 150_000 + b"1" + b"}" * 150_000 + b"\n")
    return bundle


def nested_about(bundle: Path) -> Path:
    write(bundle / "bundle.json", b'{"a":' * 150_000 + b"1" + b"}" * 150_000 + b"\n")
    return bundle


def markup(bundle: Path) -> Path:
    member = tarfile.TarInfo("[red]x[/blue]")
    member.type = tarfile.SYMTYPE
    return tarred(bundle, member)


def huge_extension(bundle: Path) -> Path:
    """Records of a terabyte before a member: whoever reads them whole has no memory left."""
    path = bundle.with_suffix(".tar")
    member = tarfile.TarInfo("records")
    member.size, member.type = 1 << 40, tarfile.XHDTYPE
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    return path


def huge(bundle: Path) -> Path:
    """A header that promises a terabyte, and nothing behind it."""
    path = bundle.with_suffix(".tar")
    member = tarfile.TarInfo("checkpoint")
    member.size = 1 << 40
    path.write_bytes(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))
    return path


def holes(bundle: Path) -> Path:
    """A terabyte of nothing in place of a file."""
    os.truncate(bundle / "checkpoint", 1 << 40)
    return bundle


def packed(bundle: Path) -> Path:
    path = bundle.with_suffix(".tar.gz")
    with tarfile.open(path, "w:gz") as archive:
        archive.add(bundle, arcname=".")
    return path


def text(bundle: Path) -> Path:
    write(bundle.with_suffix(".tar"), "这不是审计包".encode() * 400)
    return bundle.with_suffix(".tar")


def outside(bundle: Path) -> Path:
    return tarred(bundle, tarfile.TarInfo("../../etc/passwd"))


def link(bundle: Path) -> Path:
    (bundle / "checkpoint").rename(bundle.parent / "elsewhere")
    (bundle / "checkpoint").symlink_to(bundle.parent / "elsewhere")
    return bundle


def twice(bundle: Path) -> Path:
    return tarred(bundle, tarfile.TarInfo("checkpoint"))


def other_form(bundle: Path) -> Path:
    write(bundle / "bundle.json", b'{"format": "certlib-bundle/9"}')
    return bundle


def other_shape(bundle: Path) -> Path:
    write(bundle / "register.jsonl", b'["seq", 0]\n')
    return bundle


def other_journal(bundle: Path) -> Path:
    city = a_day()
    city.issue(50, START + timedelta(minutes=93))
    city.head(START + timedelta(minutes=95))
    other = replace(Note.parse(city.notes()[-1]), text="journal.elsewhere.example/x\n0\n" + "A" * 43 + "=\n")
    write(bundle / "checkpoint", Note(other.text).signed(*JOURNAL, at=START).encode().encode())
    return bundle


def stranger(bundle: Path) -> Path:
    """Cosigned by somebody, but not by a witness the auditor knows."""
    city = City(leaves=a_day().leaves, heads=[(size, at, False) for size, at, _ in a_day().heads])
    for name in ("checkpoint", "checkpoints.jsonl"):
        (bundle / name).unlink()
    plain = city.export(bundle.parent / "plain")
    for name in ("checkpoint", "checkpoints.jsonl"):
        (plain / name).rename(bundle / name)
    return bundle


def clocks(bundle: Path) -> Path:
    notes = a_day().notes()
    note, at = Note.parse(notes[-1]), START + timedelta(minutes=92)
    late = Note(note.text).signed(*JOURNAL, at=at + timedelta(hours=3))
    write(bundle / "checkpoint", late.with_signatures(note.signatures[len(JOURNAL) :]).encode().encode())
    return bundle


def without(name: str) -> Callable[[Path], Path]:
    def take(bundle: Path) -> Path:
        (bundle / name).unlink()
        return bundle

    return take


BAD: dict[str, tuple[Callable[[Path], Path], str]] = {
    "truncated": (cut, "未传完或被截短；请重新取得完整的审计包"),
    "truncated between two files": (cut_between, "没有结尾标记：未传完或被截短"),
    "nothing at all": (nothing, "文件是空的"),
    "an empty folder": (empty_folder, "不是审计包，或残缺：没有 bundle.json 和 checkpoint"),
    "a bundle in a folder": (a_folder_around, "其中的 bundle 像是审计包，请直接审计它"),
    "a bundle in a bundle": (a_tar_around, "其中的 inner.tar 像是审计包，请直接审计它"),
    "a PDF": (pdf, "是 PDF 文件，不是审计包；核验文件请用 certctl verify"),
    "a database": (database, "是数据库，不是审计包；请用 certctl bundle 导出审计包"),
    "a pipe in place of a file": (pipe, "register.jsonl 不是普通文件"),
    "a link to itself": (loop, "register.jsonl 打不开：链接互相指向"),
    "a folder of lists that is a link to itself": (looped_folder, "trust 打不开：链接互相指向"),
    "nested without end": (nested, "register.jsonl 第 1 行 不是 JSON"),
    "a description nested without end": (nested_about, "bundle.json 第 1 行 不是 JSON"),
    "a terabyte promised": (huge, "应有 1099511627776 字节，文件到第 1536 字节为止"),
    "a terabyte of extended header": (huge_extension, "应有 1099511627776 字节"),
    "markup in a name": (markup, "[red]x[/blue] 不是普通文件"),
    "a terabyte of holes": (holes, "checkpoint | 审计包无法读取：checkpoint 超过"),
    "compressed": (packed, "压缩过的请先解压"),
    "not an archive": (text, "不是 tar 文件"),
    "a name that leads outside": (outside, "../../etc/passwd 指向审计包之外"),
    "a link that leads outside": (link, "checkpoint | 审计包无法读取：checkpoint 指向审计包之外"),
    "a member twice": (twice, "checkpoint 重复"),
    "another form": (other_form, "bundle.json | 审计包的格式是“certlib-bundle/9”，本程序只懂“certlib-bundle/1”"),
    "another shape": (other_shape, "register.jsonl 第 1 行 不是 JSON 对象"),
    "another journal": (other_journal, "checkpoint | 是日志“journal.elsewhere.example/x”的审计包，所给公钥属于日志"),
    "witnesses nobody knows": (stranger, "checkpoint | 没有任何检查点有 2 个见证签名"),
    "clocks apart": (clocks, "早于检查点自称的时间：时钟不一致"),
    "no head": (without("checkpoint"), "审计包缺少文件 checkpoint"),
    "no archive": (without("checkpoints.jsonl"), "checkpoints.jsonl | 历次检查点不以最新检查点结尾"),
    "no entries": (without("tile/entries/000.p/97"), "tile/entries/000.p/97 | 审计包缺少文件"),
    "no register": (without("register.jsonl"), "register.jsonl | 审计包缺少文件 register.jsonl"),
    "no statuses": (without("standing.jsonl"), "standing.jsonl | 审计包缺少文件 standing.jsonl"),
    "no hashes": (without("tile/0/000.p/97"), "tile/0/000.p/97 | 审计包缺少文件"),
}


@pytest.mark.parametrize(("spoil", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_bundle_is_a_finding_in_words(spoil: Callable[[Path], Path], sentence: str, bundle: Path) -> None:
    """Exit code 1 and a report, for programs and for people; for these it says what to do, in both languages."""
    bad = spoil(bundle)
    assert sentence in sentence_of(audited(bad))
    shown = audited(bad, "--quorum", "2")
    assert isinstance(shown.exception, SystemExit)
    assert shown.exit_code == 1
    assert "处不符 · breaches:" in shown.stdout
    assert any(one.english[:20] in shown.stdout for one in ADVICE.values())


def test_every_check_has_its_advice() -> None:
    """Whatever is found, the auditor is told what it means and what to do."""
    assert set(ADVICE) == {*CHECKS, "files"}
    assert all(one.chinese.endswith("。") and one.english.endswith(".") for one in ADVICE.values())


def test_the_last_line_says_what_was_not_checked(bundle: Path) -> None:
    """Without trust roots, or without witnesses, not everything holds: only what was checked."""
    assert "全部相符" in audited(bundle, "--quorum", "2").stdout
    roots = Path(__file__).parents[2] / "keys-dev" / "trust"  # of seals, not of lists
    shown = audited(bundle, "--trust", str(roots))
    assert shown.exit_code == 0
    assert "全部相符" not in shown.stdout
    assert "查过的相符，但有未核对的：status、trust、seal-list" in shown.stdout
    assert "head" in json.loads(audited(bundle, "--json", "--quorum", "0").stdout)["unchecked"]


@pytest.mark.parametrize("name", ["register.jsonl", "tile", "."])
def test_what_may_not_be_read_is_said_so(bundle: Path, name: str) -> None:
    """A file, a folder in it, the whole of it: a finding that tells of the permission, not that something is gone."""
    (bundle / name).chmod(0)
    try:
        words = [*_WITHOUT_PRIVILEGES, sys.executable, "-c", _MAIN, *command(bundle)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    finally:
        (bundle / name).chmod(0o700)
    assert done.returncode == 1, done.stderr
    assert "没有读取权限" in json.loads(done.stdout)["breaches"][0]["message"]


def test_keys_that_are_none_are_misuse(bundle: Path, tmp_path: Path) -> None:
    """An empty file names nobody to trust; one without end is not read to its end."""
    write(tmp_path / "none", b"# nobody\n")
    write(tmp_path / "endless", b"")
    os.truncate(tmp_path / "endless", 1 << 40)
    for name, sentence in (("none", "没有公钥"), ("endless", "超过")):
        error = audited(bundle, "--json", "--keys", str(tmp_path / name)).exception
        assert isinstance(error, ConfigurationError)
        assert sentence in error.message


def test_a_file_drawn_elsewhere_is_looked_for(bundle: Path, tmp_path: Path) -> None:
    """A file, or a folder of files; what is not registered is named."""
    write(tmp_path / "drawn" / "a" / "forged.pdf", b"%PDF-1.7 forged")
    assert "a/forged.pdf | 日志中没有登记这份文件" in sentence_of(
        audited(bundle, "--json", "--files", str(tmp_path / "drawn"))
    )
    one = tmp_path / "drawn" / "a" / "forged.pdf"
    assert "forged.pdf | 日志中没有登记这份文件" in sentence_of(audited(bundle, "--json", "--files", str(one)))


def test_a_kept_head_that_is_none_is_named_and_a_file_that_is_none_refused(bundle: Path, tmp_path: Path) -> None:
    """Any bytes in its place are a finding; a path that cannot be read is misuse."""
    write(tmp_path / "kept", b"\xff\xfe nothing")
    assert "审计人自存检查点 1" in sentence_of(audited(bundle, "--json", "--since", str(tmp_path / "kept")))
    assert isinstance(audited(bundle, "--since", str(tmp_path / "nowhere")).exception, ConfigurationError)
