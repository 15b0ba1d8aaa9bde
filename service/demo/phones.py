"""Trying it from a phone: a link for each certificate, and TLS for one address.

A browser lets the page use its cryptography in a secure context only, which loopback is and plain HTTP is not. The
certificate comes from an authority made for this one run, which may certify this one address and whose key is thrown
away: a phone warns once, or installs that root and then keeps the page for use without a network as well.
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
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from sqlmodel import col, select

from certlib.issue.office import Office
from certlib.register.tables import Intent
from service.demo.town import LOOPBACK, ROOT, Tls, Town

_LIFE = timedelta(days=7)


def make_tls(folder: Path, host: str, *, now: datetime) -> Tls:
    """A key and a certificate for `host`, and the root above it, written into `folder`."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root_name, name = _name(f"certlib demo {now:%Y-%m-%d %H:%M}"), _name(host)
    alternative, constraint = _names(host)
    root = (
        _builder(root_name, root_name, root_key, now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints([constraint], None), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    certificate = (
        _builder(name, root_name, key, now)
        .add_extension(x509.SubjectAlternativeName([alternative]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    made = Tls(folder / "tls.pem", folder / "tls.key.pem", folder / "tls-root.pem")
    made.certificate.write_bytes(certificate.public_bytes(Encoding.PEM))
    made.root.write_bytes(root.public_bytes(Encoding.PEM))
    made.key.touch(mode=0o600)
    made.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return made


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
    )


def links(town: Town) -> Iterator[str]:
    """A clickable link for each certificate's newest edition, and how to go on from a phone."""
    yield f"公众查验：{town.service}/v · 接口文档：{town.service}/docs · 市电子证照库：{town.city}"
    for number, code in _codes(town.office):
        address = f"{town.service}/v#{code.partition('#')[2]}"
        yield f"{number}\n  [link={address}]{address}[/link]"
    if town.service.startswith(f"http://{LOOPBACK}"):
        yield "用手机试：certctl demo --serve --host 本机在局域网中的地址，然后扫描 PDF 上的二维码。"
    else:
        yield "用手机试：手机与本机在同一网络，扫描任一 PDF 上的二维码；证书为本次演示自制，首次请选择继续访问。"
        yield f"要断网也能核验：先在手机上打开 {town.service}{ROOT} 并安装、信任该根证书（只认本机地址，七天到期）。"
    yield "按 Ctrl-C 结束。"


def _codes(office: Office) -> list[tuple[str, str]]:
    with office.register.reader() as session:
        query = select(Intent).where(Intent.kind == "certificate", Intent.state == "done")
        intents = session.exec(query.order_by(col(Intent.edition))).all()
    return list({intent.number: (intent.number, intent.plan["code_text"]) for intent in intents}.values())


def _names(host: str) -> tuple[x509.GeneralName, x509.GeneralName]:
    """The address as a certificate names it, and as its authority is bound to it (RFC 5280 §4.2.1.10)."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return x509.DNSName(host), x509.DNSName(host)
    return x509.IPAddress(address), x509.IPAddress(ipaddress.ip_network(address))
