"""Downloads of what stands beside a file: its copy under SM2/SM3, and the signature of GB/T 38540."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from certlib.cli.main import application
from certlib.crypto.development import development_folder, development_timestamps
from certlib.crypto.libcrypto import unavailable
from certlib.sealing.national import open_national


@pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")
def test_copy_and_signature_are_downloaded_and_verified(web, tmp_path: Path, monkeypatch) -> None:
    """Each under its query; `certctl verify` believes the `.ses` beside its file, and not beside another."""
    stamps = development_timestamps("sm2-sm3")
    beside = open_national(development_folder(), stamps, parts=("copy", "ses"))
    monkeypatch.setattr(web.office.sealer, "_beside", beside)
    issued = web.issued()
    pdf, copy, ses = (web.http.get(f"{issued['links']['file']}{query}", headers=web.headers()) for query in QUERIES)
    assert [one.status_code for one in (pdf, copy, ses)] == [200, 200, 200]
    assert pdf.content != copy.content
    assert copy.content.startswith(b"%PDF")
    assert ses.headers["content-disposition"].endswith(".ses")
    (tmp_path / "a.pdf").write_bytes(pdf.content)
    (tmp_path / "a.ses").write_bytes(ses.content)
    done = _verify(tmp_path / "a.ses")
    assert done.exit_code == 0, done.output
    assert '"check": "holder", "outcome": "pass"' in done.output
    (tmp_path / "a.pdf").write_bytes(copy.content)
    assert _verify(tmp_path / "a.ses").exit_code == 1
    (tmp_path / "b.ses").write_bytes(b"nonsense")
    assert _verify(tmp_path / "b.ses").exit_code == 3


def test_what_was_not_made_is_not_found(web) -> None:
    """404 with what there is; an unknown suite is refused."""
    issued = web.issued()
    assert web.http.get(f"{issued['links']['file']}?form=ses", headers=web.headers()).status_code == 404
    assert web.http.get(f"{issued['links']['file']}?suite=md5", headers=web.headers()).status_code == 422


QUERIES = ("", "?suite=sm2-sm3", "?form=ses")


def _verify(path: Path):
    words = ["verify", str(path), "--json"]
    return CliRunner().invoke(application(words), words)
