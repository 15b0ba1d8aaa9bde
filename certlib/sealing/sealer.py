"""The one place where a seal's key is used: an intent goes in, a sealed file comes out.

    order, sealed = sealer.seal(intent, now=now)

The ledger re-reads intent, authorisation and bytes and reserves one use; only then is the key touched. Whatever goes
wrong after that, the use is recorded as released. There is no way to have other bytes signed: no message, digest or
file is taken from the caller.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime

from certlib.crypto import tokens
from certlib.crypto.attributes import SealUse
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.timestamps import Timestamper
from certlib.errors import CertlibError, SealFailedError, TimestampUnavailableError
from certlib.sealing.identities import SealIdentity, load_identities
from certlib.sealing.national import NationalHand
from certlib.sealing.order import Sealed, SealOrder, UseLedger
from certlib.sealing.pades import seal_pdf
from certlib.sealing.picture import seal_picture
from certlib.sealing.proof import LEVELS, material_for, require
from certlib.sealing.selfcheck import check_sealed
from certlib.sealing.widget import Imprint

__all__ = ["LEVELS", "Sealer", "load_identities"]


SIZE_TOLERANCE = 0.1  # millimetres between the place's side and the seal's diameter


class Sealer:
    """Seals what the ledger has reserved, with the identities given. Safe for concurrent use."""

    def __init__(
        self,
        identities: Mapping[str, SealIdentity],
        timestamper: Timestamper | None,
        ledger: UseLedger,
        *,
        material: ValidationMaterial | None = None,
        pending: bool = False,
        beside: NationalHand | None = None,
    ) -> None:
        """Seals by id, or by the SHA-256 of their certificate where orders name it; where time comes from; the ledger.

        `material` is needed for level B-LT only.
        With `pending` a file whose timestamp is not to be had is sealed at B-B, and says so; else it is refused.
        `beside` makes what belongs to a use in the national cryptography.
        """
        self._identities, self._timestamper, self._ledger = identities, timestamper, ledger
        self._material, self._pending, self._beside = material, pending, beside

    def seal(self, intent: str, *, now: datetime) -> tuple[SealOrder, Sealed]:
        """Reserve the use of the seal that `intent` asks for, seal its file, check the result.

        The caller closes the use in the transaction that registers the file. Raises what the ledger raises when it
        refuses; after that `SealFailedError` (`KeyUnavailableError`, `TimestampUnavailableError`), the use released.
        """
        order = self._ledger.reserve(intent, now=now)
        try:
            return order, self._carry_out(order, now)
        except CertlibError as error:
            self._ledger.release(order, why=error.message, now=now)
            raise
        except Exception as error:
            self._ledger.release(order, why=f"内部错误：{type(error).__name__}", now=now)
            raise SealFailedError("用印时发生内部错误，未用印；请重试，仍不成功则联系管理员。") from error

    def probe(self, *, now: datetime) -> dict[str, str]:
        """The seals that cannot be used at `now`, each with the reason. Opens every key."""
        faults = {}
        for identity in self._identities.values():
            try:
                identity.signer(at=now)
                seal_picture(identity.spec)
            except CertlibError as error:
                faults[identity.spec.id] = error.message
        return faults

    def _carry_out(self, order: SealOrder, now: datetime) -> Sealed:
        identity = self._identity(order)
        timestamper = self._timestamper_for(order)
        signer = identity.signer(at=now)
        use = SealUse(order.seal, order.counter, order.authorisation, order.intent)
        imprint = self._imprint(order, identity)
        done = seal_pdf(
            order.pdf,
            imprint,
            signer,
            at=now,
            timestamper=timestamper,
            attributes=(use.encode(),),
            material=material_for(self._material, signer, timestamper, level=order.level, at=now),
            pending=self._pending,
        )
        if LEVELS[order.level].with_material and done.timestamp:
            require(self._material, tokens.certificates(done.timestamp.token), level=order.level, at=now)
        stamped = timestamper.digest if timestamper and done.timestamp else None
        signature = check_sealed(done.pdf, order.pdf, signer, stamped=stamped)
        return Sealed(
            pdf=done.pdf,
            sha256=hashlib.sha256(done.pdf).hexdigest(),
            level=order.level if done.timestamp else "B-B",
            signed_at=now,
            timestamped_at=done.timestamp.at if done.timestamp else None,
            parts=self._beside.make(order, done.pdf, imprint, at=now) if self._beside else (),
            signature_sha256=hashlib.sha256(signature).hexdigest(),
        )

    def _identity(self, order: SealOrder) -> SealIdentity:
        identity = self._identities.get(order.identity(order.suite))
        if identity is None:
            raise SealFailedError(f"没有配置印章 {order.seal} 第 {order.seal_edition} 版的密钥和证书，未用印。")
        if identity.suite != order.suite:
            raise SealFailedError(f"印章 {order.seal} 的密码套件是 {identity.suite}，而不是 {order.suite}，未用印。")
        if hashlib.sha256(order.pdf).hexdigest() != order.sha256:
            raise SealFailedError("待用印文件的摘要与登记的不符，未用印。")
        return identity

    def _timestamper_for(self, order: SealOrder) -> Timestamper | None:
        if order.level not in LEVELS:
            raise SealFailedError(f"没有签章级别 {order.level}，可用的有 {'、'.join(LEVELS)}；未用印。")
        if not LEVELS[order.level].stamped:
            return None
        if self._timestamper is None:
            raise TimestampUnavailableError(f"级别 {order.level} 需要时间戳，但没有配置时间戳服务，未用印。")
        return self._timestamper

    def _imprint(self, order: SealOrder, identity: SealIdentity) -> Imprint:
        spec = order.spec or identity.spec
        picture, place = seal_picture(spec), order.placement
        if max(abs(side - picture.diameter) for side in (place.width, place.height)) > SIZE_TOLERANCE:
            raise SealFailedError(
                f"盖章位置 {place.width:g}×{place.height:g} 毫米，与印章直径 {picture.diameter:g} 毫米不符，未用印。"
            )
        return Imprint(
            picture=picture,
            placement=place,
            name=spec.name,
            reason=order.reason,
            location=identity.certificate.place,
            straddle=order.straddle,
        )
