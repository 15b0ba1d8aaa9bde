"""`certctl verify` on codes: with a key, the trust list and one status list, and without us."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import qrcode
from asn1crypto import pem
from click.testing import Result
from PIL import Image, ImageChops, ImageDraw
from typer.testing import CliRunner

from certlib.cli.main import application
from certlib.crypto.development import development_folder, development_key
from certlib.errors import ConfigurationError
from certlib.formats.code import CodeError, read_code
from certlib.formats.seal_list import SealList, sign_seal_list
from certlib.formats.trust import read_trust_list, sign_trust_list
from tests.conftest import Run

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "codes.json").read_text(encoding="utf-8"))
CASES = {case["name"]: case for case in VECTORS["cases"]}
SHOWN = ["state valid", "state revoked", "expired", "unknown key", "borrowed key id", "cut by 17", "signed with SM2"]
EXIT = {"valid": 0, "unreadable": 3}


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of trust without any X.509: a key to pin, the trust list, one status list."""
    folder = tmp_path_factory.mktemp("trust")
    (folder / "list.pem").write_bytes(pem.armor("PUBLIC KEY", base64.b64decode(VECTORS["trust_list_key_p256"])))
    (folder / "trust.json").write_text(json.dumps(VECTORS["trust_list"]), encoding="utf-8")
    (folder / "0.cwt").write_bytes(base64.b64decode(VECTORS["status_list"]))
    return folder


def _verify(certctl: Run, trust: Path, *words: str, at: str = VECTORS["at"]) -> tuple[int, list[dict[str, Any]]]:
    done = certctl("verify", "--trust", str(trust), "--at", at, "--json", *words)
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()]


def _photo(path: Path, *texts: str, seal: bool = False) -> str:
    codes = [qrcode.make(text, box_size=6, border=4).convert("RGB") for text in texts]
    paper = Image.new("RGB", (sum(c.width + 40 for c in codes) + 200, 900), "white")
    at = 60
    for code in codes:
        paper.paste(code, (at, 100))
        at += code.width + 40
    if seal:
        ink = Image.new("RGB", paper.size, "white")
        ImageDraw.Draw(ink).ellipse((100, 140, 460, 500), outline=(215, 35, 40), width=14)
        paper = ImageChops.multiply(paper, ink)
    paper.rotate(2, expand=True, fillcolor="white").save(path)
    return str(path)


@pytest.mark.parametrize("name", SHOWN)
def test_a_code_is_verified_from_its_text(certctl: Run, trust: Path, name: str) -> None:
    """Verdict and exit code are the vector's; nothing is asked of anybody."""
    case = CASES[name]
    code, (line,) = _verify(certctl, trust, case["text"])
    assert line["verdict"] == case["expect"]
    assert code == EXIT.get(case["expect"], 1)
    assert bool(line["certificate"]) != (case["expect"] in {"unknown-issuer", "signature-invalid", "unreadable"})


def test_the_digits_alone_will_do(certctl: Run, trust: Path) -> None:
    """What stands behind the number sign, without the address."""
    code, (line,) = _verify(certctl, trust, CASES["state valid"]["text"].partition("#")[2])
    assert (code, line["verdict"]) == (0, "valid")
    assert line["certificate"]["number"] == VECTORS["facts"]["facts"]["number"]


def test_an_old_list_leaves_the_state_open(certctl: Run, trust: Path) -> None:
    """Genuine with the state unchecked, as for a file; --require-status makes it fail."""
    later = "2026-04-03T00:00:00"
    assert _verify(certctl, trust, CASES["state valid"]["text"], at=later)[0] == 0
    code, (line,) = _verify(certctl, trust, "--require-status", CASES["state valid"]["text"], at=later)
    assert (code, line["verdict"]) == (1, "status-unknown")


@pytest.mark.parametrize("seal", [False, True], ids=["clean", "under a red ring"])
def test_a_code_is_read_from_a_photo(certctl: Run, trust: Path, tmp_path: Path, seal: bool) -> None:
    """PNG or JPEG, other people's codes beside it passed over."""
    photo = _photo(tmp_path / "a.jpg", CASES["state suspended"]["text"], "https://pay.example/x", seal=seal)
    code, (line,) = _verify(certctl, trust, photo)
    assert (code, line["verdict"]) == (1, "suspended")


def test_a_photo_without_a_code_or_with_several_says_so(certctl: Run, trust: Path, tmp_path: Path) -> None:
    """Unreadable, with what to do."""
    none = _photo(tmp_path / "none.png", "https://pay.example/x")
    two = _photo(tmp_path / "two.png", CASES["state valid"]["text"], CASES["state revoked"]["text"])
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    code, lines = _verify(certctl, trust, none, two, str(broken))
    assert code == 3
    assert {line["verdict"] for line in lines} == {"unreadable"}
    told = [line["findings"][0]["detail"] for line in lines]
    assert ["没有找到" in told[0], "不止一份" in told[1], "不是可以识别" in told[2]] == [True] * 3


def test_a_photo_of_a_code_of_the_future_says_so(certctl: Run, trust: Path, tmp_path: Path) -> None:
    """It is one of ours, in a format newer than this reader: unreadable, and that is why."""
    photo = _photo(tmp_path / "future.png", CASES["format 2"]["text"])
    code, (line,) = _verify(certctl, trust, photo)
    assert (code, line["verdict"]) == (3, "unreadable")
    assert line["findings"][0]["detail"] == read_fault(CASES["format 2"]["text"])


def read_fault(text: str) -> str:
    """What the reader of a code's text says of it."""
    with pytest.raises(CodeError) as caught:
        read_code(text)
    return caught.value.message


def test_a_file_of_three_hundred_megabytes_is_refused_by_its_size(certctl: Run, trust: Path, tmp_path: Path) -> None:
    """Unreadable with the limit named, and nothing of it is parsed."""
    large = tmp_path / "large.pdf"
    with large.open("wb") as held:
        held.write(b"%PDF-1.7\n")
        held.truncate(300_000_000)
    code, (line,) = _verify(certctl, trust, str(large))
    assert (code, line["verdict"]) == (3, "unreadable")
    assert "20 MB" in line["findings"][0]["detail"]


def test_without_a_trust_list_a_code_is_misuse(certctl: Run) -> None:
    """Exit code 2 and what is missing, never a verdict."""
    done = certctl("verify", CASES["state valid"]["text"])
    assert done.returncode == 2
    assert "trust.json" in done.stderr + done.stdout


def test_a_list_that_went_wrong_is_not_used(certctl: Run, trust: Path, tmp_path: Path) -> None:
    """A status list with an edited byte: the folder of trust cannot be believed, and that is said."""
    folder = tmp_path / "trust"
    folder.mkdir()
    for file in trust.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    data = bytearray((folder / "0.cwt").read_bytes())
    data[200] ^= 1
    (folder / "0.cwt").write_bytes(bytes(data))
    done = certctl("verify", "--trust", str(folder), CASES["state valid"]["text"])
    assert done.returncode == 2
    assert "状态清单" in done.stderr + done.stdout


def test_a_list_rolled_back_since_the_last_run_fails(trust: Path, tmp_path: Path) -> None:
    """With --state: believed the first time and again; once a newer one was seen, the same list fails, not green."""
    seen, text = tmp_path / "seen.json", CASES["state valid"]["text"]
    words = [
        "verify",
        "--trust",
        str(trust),
        "--at",
        VECTORS["at"],
        "--state",
        str(seen),
        "--json",
    ]
    for _ in range(2):
        assert CliRunner().invoke(application(words), [*words, text]).exit_code == 0
    memory = json.loads(seen.read_text(encoding="utf-8"))
    ((address, (size, at)),) = memory["status"].items()
    seen.write_text(json.dumps(memory | {"status": {address: [size + 1, at]}}), encoding="utf-8")
    done = CliRunner().invoke(application(words), [*words, text])
    line = json.loads(done.stdout)
    assert (done.exit_code, line["verdict"]) == (1, "status-unknown")
    assert any("比以前见过的旧" in finding["detail"] for finding in line["findings"])
    assert json.loads(seen.read_text(encoding="utf-8"))["status"][address] == [size + 1, at]


@dataclass
class Register:
    """A register that answers every code alike, and gives out lists of whatever number it is told to."""

    url: str = ""
    trust: int = 5
    seals: int = 5

    def given(self, path: str) -> bytes | None:
        """What stands at an address, None for nothing."""
        signers = [development_key(label) for label in ("trust-2026", "trust-p256-2026")]
        if path == "/public/trust":
            listed = read_trust_list(json.dumps(VECTORS["trust_list"]).encode(), [signers[0].public_key])
            return sign_trust_list(replace(listed, seq=self.trust), signers)
        if path == "/public/seals":
            return sign_seal_list(SealList(seq=self.seals, issued=datetime(2026, 3, 1, tzinfo=UTC), seals=()), signers)
        return None

    def answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What it says of the good code of the vectors, as of the moment asked about."""
        fields = {"Certificate": "医疗器械经营许可证", "Number": VECTORS["facts"]["facts"]["number"]}
        listed = [{"label": "", "english": name, "value": value} for name, value in fields.items()]
        return {"verdict": "valid", "n": 1000, "edition": 1, "fields": listed, "at": asked.get("at", "")}


@pytest.fixture
def register() -> Iterator[Register]:
    """A register on a loopback port."""
    held = Register()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(held.given(self.path))

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            self._send(json.dumps(held.answer(asked)).encode())

        def log_message(self, *_: object) -> None: ...

        def _send(self, body: bytes | None) -> None:
            self.send_response(200 if body else 404)
            self.end_headers()
            self.wfile.write(body or b"")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    held.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield held
    server.shutdown()


def _asked(*words: str) -> Result:
    return CliRunner().invoke(application(["verify"]), ["verify", *words])


@pytest.mark.parametrize(("name", "told"), [("trust", "信任清单"), ("seals", "印章清单")])
def test_a_list_that_the_register_rolled_back_is_refused(
    register: Register, tmp_path: Path, name: str, told: str
) -> None:
    """With --state what --register gave is remembered like what lay in the folder: the next run takes none older."""
    seen, text = tmp_path / "seen.json", CASES["state valid"]["text"]
    words = ["--register", register.url, "--at", VECTORS["at"], "--json", text]
    done = _asked(*words, "--state", str(seen))
    assert (done.exit_code, json.loads(done.stdout)["verdict"]) == (0, "valid")
    setattr(register, name, 4)
    done = _asked(*words, "--state", str(seen))
    assert isinstance(done.exception, ConfigurationError)
    assert f"{told}比以前见过的旧" in done.exception.message
    assert done.stdout == ""
    assert _asked(*words).exit_code == 0  # without a memory nothing is older
    setattr(register, name, 6)
    assert _asked(*words, "--state", str(seen)).exit_code == 0
    assert set(json.loads(seen.read_text(encoding="utf-8"))[name].values()) == {6}


def test_without_a_key_to_pin_a_register_gives_no_list(register: Register, tmp_path: Path) -> None:
    """Roots of seals alone: the register is asked for the state only, and no list of its is believed."""
    for path in (development_folder() / "trust").glob("*.pem"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(b"a photograph")
    words = ["--register", register.url, "--trust", str(tmp_path)]
    assert _asked(*words, str(scan)).exit_code == 3
    done = _asked(*words, CASES["state valid"]["text"])
    assert isinstance(done.exception, ConfigurationError)
    assert "trust.json" in done.exception.message
