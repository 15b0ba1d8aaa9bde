"""The national side of a seal use: the same document sealed with SM2/SM3 as a second file, and the `.ses` beside it.

A use of a seal is one act on one document. Its representation in the second cryptography is made in the same
operation, under the same counter and authorisation, which stand signed in each: see docs/decisions on how a use is
counted. Either all of them are made, or the use is released and nothing is.

| part | is |
|---|---|
| `copy` | the renderer's file, sealed with the seal's SM2 key: PDF/A-3a and PDF/UA-1 like the first |
| `ses` | SES_Signature (GB/T 38540-2020, version 4) over the bytes of the first file, as issued |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Lock

from certlib.crypto import tokens
from certlib.crypto.attributes import SealUse
from certlib.crypto.certificates import Certificate, load_certificates
from certlib.crypto.cms import Signer
from certlib.crypto.keys import open_key
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.timestamps import Timestamper
from certlib.domain.seal import SealSpec
from certlib.errors import ConfigurationError, SealFailedError, TimestampUnavailableError
from certlib.sealing.identities import SealIdentity, SealKeys
from certlib.sealing.order import Part, SealOrder
from certlib.sealing.pades import seal_pdf
from certlib.sealing.proof import LEVELS, material_for, require
from certlib.sealing.selfcheck import check_sealed
from certlib.sealing.ses import SUITE, make_seal, seal_beside
from certlib.sealing.widget import Imprint

COPY, SES = "copy", "ses"
PARTS = (COPY, SES)


@dataclass(frozen=True, slots=True)
class SealObjects:
    """The SESeals by seal: `seals/<label>.esl` of a folder of keys, else made by the maker's key of the folder."""

    folder: Path
    _made: dict[bytes, bytes] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def of(self, spec: SealSpec, holder: Certificate) -> bytes:
        """The seal object for `holder`. Raises `ConfigurationError` when there is none and nobody to make it."""
        with self._lock:
            if holder.der not in self._made:
                self._made[holder.der] = self._read(spec) or self._make(spec, holder)
            return self._made[holder.der]

    def _read(self, spec: SealSpec) -> bytes:
        path = self.folder / "seals" / f"{spec.certificate}.esl"
        try:
            return path.read_bytes() if path.exists() else b""
        except OSError as error:
            raise ConfigurationError(f"印章 {spec.id} 的印章文件 {path} 无法读取。") from error

    def _make(self, spec: SealSpec, holder: Certificate) -> bytes:
        path = self.folder / "seals" / "seal-maker.sm2.pem"
        if not path.exists():
            raise ConfigurationError(
                f"印章 {spec.id}（{spec.name}）没有国密印章文件 {spec.certificate}.esl，请先制章。"
            )
        certificate, *chain = load_certificates(path.read_bytes(), name=str(path))
        maker = Signer(open_key(f"pem:{path}"), certificate, tuple(chain))
        since = max(holder.not_before, certificate.not_before)
        return make_seal(spec, maker, holder, valid_from=since, valid_until=holder.not_after, created=since)


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalHand:
    """Makes the parts asked for. `identities` are the seals' in SM2, named as for the `Sealer`; stamps are by SM3."""

    identities: Mapping[str, SealIdentity]
    timestamper: Timestamper
    seals: SealObjects
    parts: tuple[str, ...]
    pending: bool = False
    material: ValidationMaterial | None = None  # for level B-LT only

    def make(self, order: SealOrder, issued: bytes, imprint: Imprint, *, at: datetime) -> tuple[Part, ...]:
        """The parts of `order`, whose first file is `issued`.

        Raises `SealFailedError` (`KeyUnavailableError`, `TimestampUnavailableError`) when one cannot be made.
        """
        identity = self.identities.get(order.identity(SUITE))
        if identity is None:
            raise SealFailedError(f"没有配置印章 {order.seal} 第 {order.seal_edition} 版的国密密钥和证书，未用印。")
        spec = order.spec or identity.spec
        signer = identity.signer(at=at)
        use = SealUse(order.seal, order.counter, order.authorisation, order.intent)
        made = []
        if COPY in self.parts and order.suite != SUITE:
            made.append(self._copy(order, replace(imprint, location=identity.certificate.place), signer, use, at))
        if SES in self.parts:
            made.append(self._ses(issued, self.seals.of(spec, identity.certificate), signer, use, at))
        return tuple(made)

    def _copy(self, order: SealOrder, imprint: Imprint, signer: Signer, use: SealUse, at: datetime) -> Part:
        timestamper = None if order.level == "B-B" else self.timestamper
        done = seal_pdf(
            order.pdf,
            imprint,
            signer,
            at=at,
            timestamper=timestamper,
            attributes=(use.encode(),),
            material=material_for(self.material, signer, timestamper, level=order.level, at=at),
            pending=self.pending,
        )
        if LEVELS[order.level].with_material and done.timestamp:
            require(self.material, tokens.certificates(done.timestamp.token), level=order.level, at=at)
        check_sealed(done.pdf, order.pdf, signer, stamped=self.timestamper.digest if done.timestamp else None)
        return Part(COPY, done.pdf, order.level if done.timestamp else "B-B", SUITE)

    def _ses(self, issued: bytes, seal: bytes, signer: Signer, use: SealUse, at: datetime) -> Part:
        try:
            return Part(SES, seal_beside(issued, seal, signer, use, at=at, timestamper=self.timestamper), "v4-T", SUITE)
        except TimestampUnavailableError:
            if not self.pending:
                raise
            return Part(SES, seal_beside(issued, seal, signer, use, at=at), "v4", SUITE)


def open_national(
    folder: Path,
    timestamper: Timestamper,
    *,
    parts: tuple[str, ...],
    pending: bool = False,
    material: ValidationMaterial | None = None,
) -> NationalHand:
    """The national side of the seals whose SM2 keys are in `folder`. Raises `ConfigurationError`."""
    identities = SealKeys(folder, SUITE)
    return NationalHand(
        identities=identities,
        timestamper=timestamper,
        seals=SealObjects(folder),
        parts=parts,
        pending=pending,
        material=material,
    )
