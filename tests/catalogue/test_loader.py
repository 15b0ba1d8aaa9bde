"""A catalogue folder is read closed: what is misspelt, missing or contradictory is told, never guessed."""

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

import certlib.catalogue
from certlib.catalogue import Catalogue, load_catalogue
from certlib.errors import ConfigurationError, NotFoundError

DATA = Path(certlib.catalogue.__file__).parent / "data"
Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edited(tmp_path: Path) -> Edit:
    """A copy of the shipped data in which one text of one file is replaced."""

    def edit(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "catalogue"
        shutil.copytree(DATA, folder, dirs_exist_ok=True)
        text = (folder / file).read_text("utf-8")
        assert old in text, f"{old} is not in {file}"
        (folder / file).write_text(text.replace(old, new, 1), "utf-8")
        return folder

    return edit


@pytest.mark.parametrize(
    ("file", "old", "new", "named"),
    [
        ("authorities.toml", "document_word", "document_wrod", "document_wrod"),
        ("authorities.toml", "11360700MBY0000022", "11360700MBY0000023", "ganzhou-government"),
        ("authorities.toml", 'name = "赣州市人民政府"\n', "", "name"),
        ("authorities.toml", 'parent = "ganzhou-market-regulation"', 'parent = "mars"', "mars"),
        ("mandates.toml", 'decides = "ganzhou-approval"', 'decides = "mars"', "mars"),
        ("mandates.toml", "since = 2022-06-01", 'since = "2022-06-01"', "since"),
        ("mandates.toml", 'items = ["1-27"]', 'items = ["1-27", "1-28"]', "1-28"),
        ("mandates.toml", 'items = ["1-27"]', 'items = ["1-28"]', "1-27"),
        ("mandates.toml", "since = 2022-06-01", "since = 2022-06-01\nuntil = 2022-06-01", "1-1"),
        ("mandates.toml", "since = 2022-06-01", "since = 2022-06-01\nrun_off = 2022-07-01", "1-1"),
        ("outcomes.toml", 'items = ["1-27", "2-40"]', 'items = ["1-27", "2-40", "2-39"]', "2-39"),
        ("outcomes.toml", 'papers = "file"', 'papers = "flie"', "flie"),
        ("outcomes.toml", 'actions = ["retain"]', 'actions = ["retian"]', "retian"),
        ("mandates.toml", 'items = ["1-27"]', 'items = ["1-72"]', "1-72"),
        ("seals.toml", 'authority = "ganzhou-education"', 'authority = "mars"', "mars"),
        ("certificates/gas-licence.toml", 'defined_by = "ganzhou-approval"', 'defined_by = "mars"', "mars"),
        ("outcomes.toml", 'items = ["1-27", "2-40"]', 'items = ["1-27"]', "2-40"),
        ("outcomes.toml", 'document = "eia-approval"', 'document = "eia"', "eia"),
        ("outcomes.toml", 'certificate = "gas-licence"', 'certificate = "gas"', "gas"),
        ("outcomes.toml", 'changes = ["premises"', 'changes = ["uscc"', "uscc"),
        ("outcomes.toml", 'actions = ["retain"]', 'actions = ["suspend"]', "suspend"),
        ("certificates/gas-licence.toml", "code_number = 2", "code_number = 1", "code_number"),
        ("certificates/gas-licence.toml", "years = 5", "yaers = 5", "yaers"),
        ("certificates/gas-licence.toml", 'pattern = "', 'regexp = "', "regexp"),
        ("certificates/gas-licence.toml", 'example = "赣202207010001GP"', 'example = "赣1"', "gas-licence"),
        ("certificates/gas-licence.toml", '"legal_representative"', '"legal_representativ"', "legal_representativ"),
        ("certificates/gas-licence.toml", '"legal_representative"', '"enterprise_name"', "重复"),
        ("certificates/gas-licence.toml", 'kind = "choice", ', "", "choices"),
        ("certificates/real-estate-title.toml", "11100000MB03271699001", "11100000MB0327169901", "real-estate-title"),
        ("documents/extension-notice.toml", 'after = "accepted_on"', 'after = "noon"', "noon"),
        ("seals.toml", 'id = "36070000000001"', 'id = "3607"', "3607"),
        ("holidays.toml", "source", "sauce", "source"),
        ("facts.toml", "max = 60", "maximum = 60", "maximum"),
        ("items.csv", "2,53,", "2,54,", "2-54"),
        ("catalogue.toml", "version", "[version", "catalogue.toml"),
    ],
)
def test_a_fault_in_the_data_is_named(edited: Edit, file: str, old: str, new: str, named: str) -> None:
    """The message names the file or key, and nothing is loaded."""
    with pytest.raises(ConfigurationError, match=named.replace("[", r"\[")):
        load_catalogue(edited(file, old, new))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """An empty folder is not a catalogue."""
    with pytest.raises(ConfigurationError, match=r"catalogue\.toml"):
        load_catalogue(tmp_path)


def test_a_mandate_can_be_ended_and_succeeded_in_the_data(edited: Edit) -> None:
    """What changed in 2024 is a line more and a row more, no code."""
    folder = edited(
        "mandates.toml",
        'items = ["2-39"]\n',
        'items = ["2-39"]\nuntil = 2024-01-01\nrun_off = 2024-01-31\n',
    )
    with (folder / "mandates.toml").open("a", encoding="utf-8") as file:
        file.write(
            '\n[[mandate]]\nitems = ["2-39"]\nsince = 2024-01-01\naccepts = "ganzhou-approval"\n'
            'reviews = "ganzhou-approval"\ndecides = "ganzhou-approval"\nsupervises = "ganzhou-water"\n'
        )
    changed = load_catalogue(folder)
    old, new = changed.mandates["2-39"]
    assert changed.mandate_on("2-39", date(2023, 12, 31)) is old
    assert changed.mandate_on("2-39", date(2024, 1, 1)) is new
    assert (old.accepts, new.accepts) == ("rongjiang-approval", "ganzhou-approval")


def test_a_new_kind_of_certificate_is_a_file_and_no_code(edited: Edit) -> None:
    """Copied under another name with a number of its own, it is there."""
    folder = edited("catalogue.toml", "2022-04", "2026-01")
    text = (folder / "certificates" / "hunting-licence.toml").read_text("utf-8")
    (folder / "certificates" / "falconry-licence.toml").write_text(
        text.replace("狩猎证", "驯鹰证").replace("code_number = 11", "code_number = 24").replace('"011"', '"024"'),
        "utf-8",
    )
    changed = load_catalogue(folder)
    assert changed.version == "2026-01"
    assert changed.certificate_types["falconry-licence"].name == "驯鹰证"


def test_the_shipped_catalogue_is_read_once_and_cannot_be_changed(catalogue: Catalogue) -> None:
    """Everybody shares one frozen value."""
    assert load_catalogue() is catalogue
    with pytest.raises(TypeError):
        catalogue.items["2-99"] = catalogue.items["2-25"]  # type: ignore[index]
    assert (catalogue.version, catalogue.dated) == ("2022-04", date(2022, 4, 3))
    assert len(catalogue.sources) == 2


def test_what_is_not_there_is_said(catalogue: Catalogue) -> None:
    """Items, kinds and seals that nobody knows."""
    assert catalogue.item("2-25").number == 25
    with pytest.raises(NotFoundError, match="2-99"):
        catalogue.item("2-99")
    with pytest.raises(NotFoundError, match="fishing"):
        catalogue.kind("fishing")
    with pytest.raises(ConfigurationError, match="赣州市商务局"):
        catalogue.seal("ganzhou-commerce", catalogue.seals["36070000000001"].kind, copy=2)
    assert catalogue.mandate_on("2-99", date(2026, 3, 4)) is None
    assert catalogue.outcome("2-25", "gas-licence") is None
