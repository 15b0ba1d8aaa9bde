"""The table “document kind and action → allowed seal kinds”: what it says, and how an authority or a day changes it."""

import shutil
from datetime import date
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from certlib.catalogue import load_catalogue
from certlib.domain.seal import SealKind
from certlib.domain.seal_table import CERTIFICATE, DOCUMENT, SealedThing, allowed_kinds
from certlib.errors import ConfigurationError

APPROVAL, ORGAN = SealKind.APPROVAL, SealKind.ORGAN
DAY = date(2026, 11, 24)


def thing(outcome: str, kind: str, action: str = "issue", **parts: object) -> SealedThing:
    values = {"authority": "ganzhou-approval", "item": "2-25", "day": DAY, **parts}
    return SealedThing(outcome=outcome, type=kind, action=action, **values)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped catalogue's files, to be changed."""
    with as_file(files("certlib.catalogue") / "data") as shipped:
        shutil.copytree(shipped, tmp_path / "data")
    return tmp_path / "data"


def add(folder: Path, row: str) -> Path:
    """Put a row before all others."""
    file = folder / "seal_rules.toml"
    file.write_text(f"[[rule]]\n{row}\n\n{file.read_text('utf-8')}", encoding="utf-8")
    return folder


def test_licences_and_papers_take_the_approval_seal_and_revocations_the_organs() -> None:
    """The usual kind stands first; a decision that ends a right takes the organ's seal only (domain: 0.8)."""
    table = load_catalogue().seal_table
    assert allowed_kinds(table, thing(CERTIFICATE, "medical-device-licence")) == (APPROVAL, ORGAN)
    assert allowed_kinds(table, thing(DOCUMENT, "licence-decision")) == (APPROVAL, ORGAN)
    for kind in ("revocation-decision", "withdrawal-decision", "cancellation-decision", "review-report"):
        assert allowed_kinds(table, thing(DOCUMENT, kind)) == (ORGAN,)
    for action in ("revoke", "withdraw", "cancel"):
        assert allowed_kinds(table, thing(CERTIFICATE, "gas-licence", action)) == (ORGAN,)


def test_every_kind_of_the_catalogue_may_bear_its_own_seal() -> None:
    """What a document type's data call its seal is allowed by the table, and its authority has that seal."""
    catalogue = load_catalogue()
    own = {"approval": APPROVAL, "organ": ORGAN, "district": ORGAN}
    for kind in catalogue.document_types.values():
        assert own[kind.seal] in allowed_kinds(catalogue.seal_table, thing(DOCUMENT, kind.key)), kind.key
    for kind in catalogue.certificate_types.values():
        assert catalogue.seal_for(thing(CERTIFICATE, kind.key), APPROVAL).id == "36070000000002"


def test_a_row_changes_it_for_one_authority(folder: Path) -> None:
    """行政许可法39 taken at its word by one bureau: licences with the organ's seal, papers as before."""
    row = 'outcome = "certificate"\nauthorities = ["ganzhou-approval"]\nkinds = ["organ"]\nbasis = "行政许可法39"'
    catalogue = load_catalogue(add(folder, row))
    assert catalogue.seal_for(thing(CERTIFICATE, "gas-licence"), APPROVAL).kind is ORGAN
    other = thing(CERTIFICATE, "gas-licence", authority="ganzhou-agriculture")
    assert catalogue.seal_for(other, APPROVAL).kind is APPROVAL
    assert catalogue.seal_for(thing(DOCUMENT, "licence-decision"), APPROVAL).kind is APPROVAL


def test_the_numbered_duplicate_comes_into_use_on_its_day(folder: Path) -> None:
    """2号章 for items of annex 1 from a day on; before it, and for other items, the first seal."""
    row = (
        'outcome = "certificate"\nhandling = "市县同办"\nauthorities = ["ganzhou-approval"]\nkinds = ["approval"]\n'
        'copy = 2\nsince = 2023-11-03\nbasis = "市县同权优化提升行动方案"'
    )
    catalogue = load_catalogue(add(folder, row))

    def seal(**parts: object) -> str:
        return catalogue.seal_for(thing(CERTIFICATE, "gas-licence", **parts), APPROVAL).id

    assert seal(item="1-28") == "36070000000022"
    assert seal(item="1-28", day=date(2023, 11, 2)) == "36070000000002"
    assert seal(item="2-25") == "36070000000002"


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ('outcome = "sheet"\nkinds = ["organ"]\nbasis = "x"', "outcome"),
        ('outcome = "document"\nkinds = []\nbasis = "x"', "kinds"),
        ('outcome = "document"\nkinds = ["organ"]\nbasis = "x"\nauthorities = ["nobody"]', "nobody"),
        ('outcome = "document"\nkinds = ["organ"]\nbasis = "x"\ntypes = ["gas-licence"]', "gas-licence"),
        ('outcome = "document"\nkinds = ["organ"]\nbasis = "x"\nitems = ["9-9"]', "9-9"),
        ('outcome = "document"\nkinds = ["wax"]\nbasis = "x"', "wax"),
        ('outcome = "document"\nkinds = ["organ"]\nbasis = "x"\ncolour = "red"', "colour"),
    ],
)
def test_a_wrong_row_is_found_when_the_catalogue_is_read(folder: Path, row: str, why: str) -> None:
    """Names that do not exist, kinds there are none of, keys nobody knows."""
    with pytest.raises(ConfigurationError, match=why):
        load_catalogue(add(folder, row))


def test_a_table_without_its_general_rows_is_refused(folder: Path) -> None:
    """Or something would be found to bear no seal only when it is to be sealed."""
    row = '[[rule]]\noutcome = "document"\nkinds = ["organ"]\nbasis = "x"\n'
    (folder / "seal_rules.toml").write_text(row, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="certificate"):
        load_catalogue(folder)
