"""The numbers that stand in signed codes on paper: given once, never changed, never given to another."""

import re
from collections.abc import Callable
from pathlib import Path
from shutil import copytree

import pytest

from certlib.catalogue import load_catalogue
from certlib.errors import ConfigurationError

DATA = Path(__file__).parents[2] / "certlib" / "catalogue" / "data"
# What papers already bear. New entries may be added; an entry here may never be edited.
AUTHORITIES = {
    "ganzhou-agriculture": 1,
    "ganzhou-approval": 2,
    "ganzhou-commerce": 3,
    "ganzhou-development": 4,
    "ganzhou-ecology": 5,
    "ganzhou-education": 6,
    "ganzhou-forestry": 7,
    "ganzhou-government": 8,
    "ganzhou-housing": 9,
    "ganzhou-market-regulation": 10,
    "ganzhou-natural-resources": 11,
    "ganzhou-transport": 12,
    "ganzhou-water": 13,
    "rongjiang-agriculture": 14,
    "rongjiang-approval": 15,
    "rongjiang-ecology": 16,
    "rongjiang-economy": 17,
    "rongjiang-investment": 18,
    "rongjiang-market-regulation": 19,
    "rongjiang-natural-resources": 20,
    "rongjiang-social": 21,
}
TYPES = {
    "medical-device-licence": 1,
    "gas-licence": 2,
    "construction-planning-permit": 3,
    "medical-device-filing": 4,
    "drug-retail-licence": 5,
    "refined-oil-licence": 6,
    "land-use-planning-permit": 7,
    "site-selection-opinion": 8,
    "real-estate-title": 9,
    "real-estate-registration-proof": 10,
    "hunting-licence": 11,
    "wildlife-breeding-licence": 12,
    "aquatic-capture-licence": 13,
    "aquatic-breeding-licence": 14,
    "aquatic-use-licence": 15,
    "special-equipment-registration": 16,
    "metrology-authorisation": 17,
    "metrology-standard-certificate": 18,
    "exploration-licence": 19,
    "mining-licence": 20,
    "minimum-safe-manning-certificate": 21,
    "technology-import-contract-certificate": 22,
    "technology-export-contract-certificate": 23,
    "licence-decision": 101,
    "refusal-decision": 102,
    "change-decision": 103,
    "change-refusal-decision": 104,
    "renewal-decision": 105,
    "renewal-refusal-decision": 106,
    "revocation-decision": 107,
    "withdrawal-decision": 108,
    "cancellation-decision": 109,
    "acceptance-notice": 110,
    "non-acceptance-notice": 111,
    "correction-notice": 112,
    "extension-notice": 113,
    "review-report": 114,
    "approval-flow-sheet": 115,
    "service-receipt": 116,
    "non-filing-notice": 117,
    "non-recognition-notice": 118,
    "approval-reply": 119,
    "project-approval": 120,
    "eia-approval": 121,
    "soil-conservation-approval": 122,
    "mining-area-approval": 123,
    "overlay-approval": 124,
    "filing-receipt": 125,
    "surveying-filing-receipt": 126,
    "mortgage-filing-receipt": 127,
    "used-car-filing-receipt": 128,
    "franchise-filing-receipt": 129,
    "seizure-registration-receipt": 130,
    "acceptance-opinion": 131,
    "planning-verification-opinion": 132,
    "setting-out-verification": 133,
    "zero-level-verification": 134,
    "cleaner-production-opinion": 135,
    "recognition-list": 136,
    "exam-bonus-recognition": 137,
}


def test_a_number_on_paper_means_today_what_it_meant() -> None:
    """Every authority and every type keeps the number under which codes were signed."""
    catalogue = load_catalogue()
    kinds = {**catalogue.certificate_types, **catalogue.document_types}
    assert {key: catalogue.authorities[key].code_number for key in AUTHORITIES} == AUTHORITIES
    assert {key: kinds[key].code_number for key in TYPES} == TYPES


def _edited(folder: Path, name: str, edit: Callable[[str], str]) -> Path:
    copytree(DATA, folder)
    file = folder / name
    file.write_text(edit(file.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


@pytest.mark.parametrize("number", [9, 0, 65_536])
def test_a_number_given_twice_or_out_of_bounds_is_refused(tmp_path: Path, number: int) -> None:
    """A catalogue in which two authorities share a number, or one has none, cannot be loaded."""
    folder = _edited(
        tmp_path / "data",
        "authorities.toml",
        lambda text: re.sub(r"code_number = 8\b", f"code_number = {number}", text),
    )
    with pytest.raises(ConfigurationError, match="code_number"):
        load_catalogue(folder)


def test_a_new_authority_moves_nobody_else(tmp_path: Path) -> None:
    """One that sorts before all others leaves every number as it was."""
    row = (
        '\n[a-new-office]\ncode_number = 900\nname = "新机关"\nshort = "新机关"\nenglish = "New office"\n'
        'uscc = "11360700MBY0000022"\nlevel = "地市"\n'
    )
    catalogue = load_catalogue(_edited(tmp_path / "data", "authorities.toml", lambda text: text + row))
    assert {key: catalogue.authorities[key].code_number for key in AUTHORITIES} == AUTHORITIES
