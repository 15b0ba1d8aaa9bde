"""`certctl audit` on bundles that are not what they should be: a sentence with the place, exit code 1, no traceback."""

import io
import json
import os
import tarfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from certlib.cli.main import application
from certlib.errors import ConfigurationError, VerificationError
from certlib.formats.tlog_note import Note
from tests.journal.histories import JOURNAL, START, WITNESSES, City, a_day, write


def audited(path: Path, *options: str) -> Result:
    """The command, with the keys of the test's journal and witnesses."""
    keys, witnesses = path.parent / "keys", path.parent / "witnesses"
    keys.write_text("".join(f"{key.verifier}\n" for key in JOURNAL), encoding="utf-8")
    witnesses.write_text("".join(f"{key.verifier}\n" for key in WITNESSES), encoding="utf-8")
    words = ("audit", str(path), "--keys", str(keys), "--witnesses", str(witnesses), "--json", *options)
    return CliRunner().invoke(application(words), words)


def sentence_of(done: Result) -> str:
    """What was found, in words; whatever ends the command must be a finding or an error of ours."""
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        assert isinstance(done.exception, VerificationError), done.exception
        return done.exception.message
    assert done.exit_code == 1
    return "\n".join(f"{one['place']} | {one['message']}" for one in json.loads(done.stdout)["breaches"])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """An honest bundle, without the lists that the development keys did not sign."""
    path = a_day().export(tmp_path / "bundle")
    for name in ("trust/0001.json", "seals/0001.json", "status/0.cwt"):
        (path / name).unlink()
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


def huge(bundle: Path) -> Path:
    """A header that promises a terabyte, and nothing behind it."""
    path = bundle.with_suffix(".tar")
    member = tarfile.TarInfo("checkpoint")
    member.size = 1 << 40
    path.write_bytes(member.tobuf() + bytes(1024))
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
    "truncated": (cut, "审计包"),
    "a terabyte promised": (huge, "审计包无法读取"),
    "a terabyte of holes": (holes, "checkpoint | 审计包无法读取：checkpoint 超过"),
    "compressed": (packed, "压缩过的请先解压"),
    "not an archive": (text, "不是未压缩的 tar 文件"),
    "a name that leads outside": (outside, "../../etc/passwd 指向审计包之外"),
    "a link that leads outside": (link, "checkpoint | 审计包无法读取：checkpoint 指向审计包之外"),
    "a member twice": (twice, "checkpoint 重复"),
    "another form": (other_form, "bundle.json | 审计包的格式是“certlib-bundle/9”，本程序只懂“certlib-bundle/1”"),
    "another shape": (other_shape, "register.jsonl 第 1 行 不是 JSON 对象"),
    "another journal": (other_journal, "checkpoint | 检查点“journal.elsewhere.example/x”没有该日志自己的签名"),
    "witnesses nobody knows": (stranger, "checkpoint | 没有任何检查点有 2 个见证签名"),
    "clocks apart": (clocks, "早于检查点自称的时间：时钟不一致"),
    "no head": (without("checkpoint"), "审计包缺少文件 checkpoint"),
    "no archive": (without("checkpoints.jsonl"), "checkpoints.jsonl | 历次检查点不以最新检查点结尾"),
    "no entries": (without("tile/entries/000.p/97"), "tile/entries/000.p/97 | 审计包缺少文件"),
    "no hashes": (without("tile/0/000.p/97"), "tile/0/000.p/97 | 审计包缺少文件"),
}


@pytest.mark.parametrize(("spoil", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_bundle_is_a_finding_in_words(spoil: Callable[[Path], Path], sentence: str, bundle: Path) -> None:
    """Exit code 1, or an error of ours that `certctl` prints; never a traceback."""
    assert sentence in sentence_of(audited(spoil(bundle)))


def test_a_file_drawn_elsewhere_is_looked_for(bundle: Path, tmp_path: Path) -> None:
    """A file, or a folder of files; what is not registered is named."""
    write(tmp_path / "drawn" / "a" / "forged.pdf", b"%PDF-1.7 forged")
    assert "a/forged.pdf | 日志中没有登记这份文件" in sentence_of(audited(bundle, "--files", str(tmp_path / "drawn")))
    one = tmp_path / "drawn" / "a" / "forged.pdf"
    assert "forged.pdf | 日志中没有登记这份文件" in sentence_of(audited(bundle, "--files", str(one)))


def test_a_kept_head_that_is_none_is_named_and_a_file_that_is_none_refused(bundle: Path, tmp_path: Path) -> None:
    """Any bytes in its place are a finding; a path that cannot be read is misuse."""
    write(tmp_path / "kept", b"\xff\xfe nothing")
    assert "审计人自存检查点 1" in sentence_of(audited(bundle, "--since", str(tmp_path / "kept")))
    assert isinstance(audited(bundle, "--since", str(tmp_path / "nowhere")).exception, ConfigurationError)
