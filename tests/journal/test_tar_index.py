"""The index of a tar file: what common tools write is found, what lies is refused in little time and memory."""

import io
import os
import tarfile
import time
import tracemalloc
from pathlib import Path

import pytest

from certlib.verify.tar_index import Member, NotPlainTarError, tar_members

NAMES = {"checkpoint": b"note", "tile/entries/000": bytes(700), "证照/" + "长" * 60: b"", "a" * 130 + "/b": b"x" * 512}


def tar(archive_format: int, names: dict[str, bytes] = NAMES) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=archive_format) as archive:
        for name, body in names.items():
            member = tarfile.TarInfo(name)
            member.size = len(body)
            archive.addfile(member, io.BytesIO(body))
    return data.getvalue()


def header(name: str, size: int, kind: bytes = tarfile.REGTYPE) -> bytes:
    member = tarfile.TarInfo(name)
    member.size, member.type = size, kind
    return member.tobuf(tarfile.GNU_FORMAT)


def refused(data: bytes) -> str:
    with pytest.raises(NotPlainTarError) as caught:
        list(tar_members(io.BytesIO(data)))
    return str(caught.value)


@pytest.mark.parametrize("archive_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_members_are_found_where_they_lie(archive_format: int) -> None:
    """Names of any length and script, as both common formats write them."""
    data = tar(archive_format)
    found = {one.name: data[one.offset : one.offset + one.size] for one in tar_members(io.BytesIO(data))}
    assert found == NAMES


def test_a_name_may_stand_in_two_parts() -> None:
    """The oldest common format splits a long one at a slash."""
    data = tar(tarfile.USTAR_FORMAT, {"a" * 90 + "/" + "b" * 90: b"x"})
    assert [one.name for one in tar_members(io.BytesIO(data))] == ["a" * 90 + "/" + "b" * 90]


@pytest.mark.parametrize("archive_format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_member_may_be_larger_than_eight_octal_gigabytes(archive_format: int, tmp_path: Path) -> None:
    """The register of a billion events is."""
    size = 9 << 30
    member = tarfile.TarInfo("register.jsonl")
    member.size = size
    head = member.tobuf(archive_format)
    with (tmp_path / "large.tar").open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size + 1024)
    with (tmp_path / "large.tar").open("rb") as file:
        assert list(tar_members(file)) == [Member("register.jsonl", "file", len(head), size)]


def test_folders_and_everything_else_are_told_apart() -> None:
    """Links, devices and files with holes are none to read."""
    kinds = [tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE]
    data = b"".join(header("x", 0, kind) for kind in kinds) + bytes(1024)
    assert [one.kind for one in tar_members(io.BytesIO(data))] == ["folder", *["other"] * 4]
    sparse = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0"}
    member = tarfile.TarInfo("holes")
    member.pax_headers = sparse
    (one,) = tar_members(io.BytesIO(member.tobuf(tarfile.PAX_FORMAT) + bytes(1024)))
    assert one.kind == "other"


@pytest.mark.parametrize("cut", [1, 511, 512, 1023, 1024, 1500])
def test_a_file_that_was_cut_is_said_to_be_cut(cut: int) -> None:
    """Wherever: within a member, within a header, between two."""
    whole = tar(tarfile.PAX_FORMAT, {"checkpoint": b"note", "register.jsonl": bytes(600)})
    assert any(words in refused(whole[: 512 + cut]) for words in ("未传完或被截短", "不是 tar 文件"))


def test_a_changed_header_is_named_with_its_place() -> None:
    """Its checksum tells."""
    data = bytearray(tar(tarfile.PAX_FORMAT, {"checkpoint": b"note", "register.jsonl": b"{}"}))
    data[1024] ^= 1
    assert "第 1024 字节处" in refused(bytes(data))


def test_numbers_that_are_none_are_refused() -> None:
    """A size below zero would send a reader back to where it was."""
    for size in (b"\xff" * 12, b"12x\0" + bytes(8), b"-1\0" + bytes(9)):
        data = bytearray(header("checkpoint", 0))
        data[124:136] = size
        data[148:156] = b" " * 8
        data[148:156] = b"%06o\0 " % sum(data)
        assert "不是数" in refused(bytes(data) + bytes(1024))


@pytest.mark.parametrize(
    "records", [b"11 a=bbbbb\n9", b"99 path=x\n", b"0 path=x\n", b"x path=x\n", b"8 path=xx", b"7"]
)
def test_records_that_are_none_are_refused(records: bytes) -> None:
    """Each says its own length."""
    data = header("x", len(records), tarfile.XHDTYPE) + records.ljust(512, b"\0") + bytes(1024)
    assert "附加文件头" in refused(data)


def test_what_hurts_other_readers_costs_little(tmp_path: Path) -> None:
    """Headers that claim a terabyte, follow one another without end, or hold one number of 60,000 digits."""
    records, name, digits = b"11 a=bbbbb\n", b"abcd\0", b"1" * 60_000
    hostile = [
        header("x", 1 << 40, tarfile.XHDTYPE) + bytes(1024),
        header("x", 1 << 40, tarfile.GNUTYPE_LONGNAME) + bytes(1024),
        (header("x", len(records), tarfile.XHDTYPE) + records.ljust(512, b"\0")) * 5000 + bytes(1024),
        (header("x", len(name), tarfile.GNUTYPE_LONGNAME) + name.ljust(512, b"\0")) * 5000 + bytes(1024),
        header("x", len(digits), tarfile.XHDTYPE) + digits.ljust(-(-len(digits) // 512) * 512, b"\0") + bytes(1024),
    ]
    start = time.process_time()
    tracemalloc.start()
    try:
        for data in hostile:
            try:
                assert not list(tar_members(io.BytesIO(data)))
            except NotPlainTarError:
                continue
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert time.process_time() - start < 5
    with (tmp_path / "holes.tar").open("wb") as file:
        file.write(header("x", 1 << 40, tarfile.XHDTYPE))
        os.truncate(file.fileno(), 1 << 41)
    with (tmp_path / "holes.tar").open("rb") as file, pytest.raises(NotPlainTarError, match="附加文件头称有"):
        list(tar_members(file))
