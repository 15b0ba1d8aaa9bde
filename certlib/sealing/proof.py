"""The validation material that level B-LT puts into the signed revision: complete before the key is used, or none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from certlib.crypto.certificates import Certificate
from certlib.crypto.cms import Signer
from certlib.crypto.material import ValidationMaterial
from certlib.crypto.timestamps import Timestamper
from certlib.errors import SealFailedError


@dataclass(frozen=True, slots=True)
class Level:
    """What a level asks for beside the signature."""

    stamped: bool
    with_material: bool = False


# A level is a contract: reached, or nothing is sealed. B-LTA is made from a sealed file by `certlib.sealing.archive`.
LEVELS = {"B-B": Level(stamped=False), "B-T": Level(stamped=True), "B-LT": Level(stamped=True, with_material=True)}


def material_for(
    material: ValidationMaterial | None, signer: Signer, timestamper: Timestamper | None, *, level: str, at: datetime
) -> ValidationMaterial | None:
    """What concerns this seal and its timestamp, complete, or None when the level asks for none.

    Raises `SealFailedError` naming whose current revocation list is missing.
    """
    if not LEVELS[level].with_material or timestamper is None:
        return None
    concerned = (signer.certificate, *signer.chain, *timestamper.certificates)
    if not timestamper.certificates:
        raise SealFailedError(f"级别 {level} 须事先知道时间戳服务的证书，但没有配置，未用印。")
    return require(material, concerned, level=level, at=at).needed_for(concerned).with_certificates(concerned)


def require(
    material: ValidationMaterial | None, concerned: tuple[Certificate, ...], *, level: str, at: datetime
) -> ValidationMaterial:
    """The material, when it has a current list for each of `concerned`. Raises `SealFailedError`."""
    found = material or ValidationMaterial()
    if missing := found.missing(concerned, at=at):
        raise SealFailedError(f"级别 {level} 缺少 {'、'.join(missing)} 的现行吊销列表，未用印。")
    return found
