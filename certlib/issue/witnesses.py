"""The witnesses an office asks: those of its settings, or in development two of its own making.

[[witnesses]]
name = "archive.ganzhou.example/witness"
url = "https://archive.ganzhou.example/witness"
key = "archive.ganzhou.example/witness+1a2b3c4d+BA…"     # as `certctl witness --show` prints it
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from functools import partial

from sqlmodel import Session

from certlib.crypto.development import development_key
from certlib.domain.verdict import Finding
from certlib.errors import ConfigurationError
from certlib.formats.tlog_note import COSIGNATURE, NoteKey, VerifierKey
from certlib.issue.settings import Settings
from certlib.journal.journal import Journal
from certlib.journal.witness import Witness
from certlib.journal.witness_client import HttpWitness
from certlib.journal.witness_store import FolderWitnessStore
from certlib.journal.witnessing import LocalWitness, WitnessClient, ask_witness
from certlib.register.engine import reader, writer
from certlib.register.store import Register

DEVELOPMENT_WITNESSES = ("witness-archive", "witness-audit")


def open_witnesses(
    settings: Settings, journal: Journal[Session], clock: Callable[[], datetime]
) -> tuple[WitnessClient, ...]:
    """The witnesses of the settings; in development, without any, two in this process that keep a folder each.

    Raises `ConfigurationError` naming the entry that is wrong.
    """
    if settings.witnesses:
        return tuple(map(_remote, settings.witnesses))
    if not settings.in_development or settings.keys:
        return ()
    known = {journal.origin: journal.verifiers}
    return tuple(
        LocalWitness(Witness(development_witness(name), known, FolderWitnessStore(settings.home / name)), clock)
        for name in DEVELOPMENT_WITNESSES
    )


def development_witness(name: str) -> NoteKey:
    """The key of a development witness."""
    return NoteKey.of(name, development_key(name), COSIGNATURE)


def ask_all(register: Register, journal: Journal[Session], witnesses: Iterable[WitnessClient]) -> list[Finding]:
    """Have every witness cosign the newest head that it has not cosigned yet; what each said."""
    read, write = partial(reader, register.engine), partial(writer, register.engine)
    return [ask_witness(journal, witness, read, write) for witness in witnesses if _behind(register, journal, witness)]


def _behind(register: Register, journal: Journal[Session], witness: WitnessClient) -> bool:
    with register.reader() as session:
        return journal.lacks_cosignature(session, witness.verifier)


def _remote(entry: Mapping[str, str]) -> WitnessClient:
    name = str(entry.get("name", ""))
    if set(entry) != {"name", "url", "key"}:
        raise ConfigurationError(f"设置中的见证“{name}”应有 name、url、key 三项。")
    try:
        key = VerifierKey.parse(entry["key"])
    except (ConfigurationError, ValueError) as error:
        raise ConfigurationError(f"设置中的见证“{name}”的公钥无法识别。") from error
    if key.name != name:
        raise ConfigurationError(f"设置中的见证“{name}”的公钥属于“{key.name}”。")
    return HttpWitness(entry["url"], key)
