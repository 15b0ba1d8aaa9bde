"""The signed attribute that binds a seal's signature to its authorisation.

    -- 用印授权, under the arc of a UUID (ITU-T X.667): no registration is needed for it
    id-certlib-sealUse OBJECT IDENTIFIER ::= { 2 25 284871628382972109898870857723534126791 1 }

    SealUse ::= SEQUENCE {
        esID                 IA5String,            -- the seal, six digits of area and eight of serial
        counter              INTEGER,              -- the seal's own running number of uses
        intent               UTF8String OPTIONAL,  -- the issuer's reference of the issuance
        authorisationDigest  OCTET STRING }        -- SHA-256 of the canonical 用印授权

An auditor who holds the ledger of seal uses finds by `esID` and `counter` the one row that this signature belongs
to, and by the digest the authorisation that covered it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from asn1crypto import cms, core

from certlib.crypto import der
from certlib.crypto.cms import attribute

SEAL_USE = "2.25.284871628382972109898870857723534126791.1"


class _SealUse(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[list[tuple[object, ...]]] = [
        ("es_id", core.IA5String),
        ("counter", core.Integer),
        ("intent", core.UTF8String, {"optional": True}),
        ("authorisation_digest", core.OctetString),
    ]


@dataclass(frozen=True, slots=True)
class SealUse:
    """What the attribute says: which seal, which use of it, for which intent, under which authorisation."""

    seal: str
    counter: int
    authorisation: bytes
    intent: str = ""

    def value(self) -> bytes:
        """SealUse in DER."""
        return der.sequence(
            der.ia5(self.seal),
            der.integer(self.counter),
            der.utf8(self.intent) if self.intent else b"",
            der.octets(self.authorisation),
        )

    def encode(self) -> bytes:
        """The whole attribute, ready to stand among the signed ones."""
        return attribute(SEAL_USE, self.value())

    @classmethod
    def read(cls, data: bytes) -> SealUse:
        """The value in these bytes. Raises `ValueError` when it is malformed."""
        value = _SealUse.load(data, strict=True).native
        return cls(value["es_id"], value["counter"], value["authorisation_digest"], value["intent"] or "")


def seal_use(signer_info: cms.SignerInfo) -> SealUse | None:
    """The attribute of a signature, or None when it has none.

    Raises `ValueError` when there is more than one or it is malformed.
    """
    found = [one for one in signer_info["signed_attrs"] if one["type"].dotted == SEAL_USE]
    if not found:
        return None
    if len(found) > 1 or len(found[0]["values"]) != 1:
        raise ValueError("the seal-use attribute occurs more than once")
    return SealUse.read(found[0]["values"][0].dump())
