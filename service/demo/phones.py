"""Trying it from a phone: a link for each certificate, and TLS for one address.

A browser lets the page use its cryptography in a secure context only, which loopback is and plain HTTP is not.
The certificate is self-signed: the phone warns once.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from sqlmodel import col, select

from certlib.issue.office import Office
from certlib.register.tables import Intent
from service.demo.town import LOOPBACK, Tls, Town

_LIFE = timedelta(days=7)


def make_tls(folder: Path, host: str, *, now: datetime) -> Tls:
    """A key and a certificate for `host`, written into `folder`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName([_alternative(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    made = Tls(folder / "tls.pem", folder / "tls.key.pem")
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.key.touch(mode=0o600)
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def links(town: Town) -> Iterator[str]:
    """A clickable link for each certificate's newest edition, and how to go on from a phone."""
    yield f"公众查验：{town.service}/v · 接口文档：{town.service}/docs · 市电子证照库：{town.city}"
    for number, code in _codes(town.office):
        address = f"{town.service}/v#{code.partition('#')[2]}"
        yield f"{number}\n  [link={address}]{address}[/link]"
    if town.service.startswith(f"http://{LOOPBACK}"):
        yield "用手机试：certctl demo --serve --host 本机在局域网中的地址，然后扫描 PDF 上的二维码。"
    else:
        yield "用手机试：手机与本机在同一网络，扫描任一 PDF 上的二维码；证书为自签，首次请选择继续访问。"
    yield "按 Ctrl-C 结束。"


def _codes(office: Office) -> list[tuple[str, str]]:
    with office.register.reader() as session:
        query = select(Intent).where(Intent.kind == "certificate", Intent.state == "done")
        intents = session.exec(query.order_by(col(Intent.edition))).all()
    return list({intent.number: (intent.number, intent.plan["code_text"]) for intent in intents}.values())


def _alternative(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
