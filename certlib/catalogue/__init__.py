"""The catalogue: the 98 items of the notice, their mandates, and the kinds of certificates and documents, as data.

    >>> from datetime import date
    >>> catalogue = load_catalogue()
    >>> catalogue.item("2-25").title
    '第三类医疗器械经营许可（新办）'
    >>> catalogue.mandate_on("2-25", date(2026, 3, 2)).decides
    'ganzhou-approval'

The data lie in `data/`: what the notice says, and — marked as such — what had to be assumed. A new kind of
certificate is a file there and a folder of templates, no code.
"""

from certlib.catalogue.catalogue import Catalogue
from certlib.catalogue.checks import (
    check_changes,
    check_decision,
    check_facts,
    check_holder,
    check_text,
    holder_warnings,
)
from certlib.catalogue.examples import example, existing, predecessor
from certlib.catalogue.loader import load_catalogue

__all__ = [
    "Catalogue",
    "check_changes",
    "check_decision",
    "check_facts",
    "check_holder",
    "check_text",
    "example",
    "existing",
    "holder_warnings",
    "load_catalogue",
    "predecessor",
]
