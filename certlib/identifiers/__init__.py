"""The identifiers of the field: codes of organisations and persons, 证照标识, face and document numbers.

Every check raises `ValueError` with a Chinese reason and gives nothing back, so there is no result to ignore. What a
scheme detects, and what it does not, stands in the docstring of its function and is tested.

    >>> check_uscc("11100000MB0341032Y")
    >>> CertificateIdentifier("11360700MB1A2B3CX8001", "11360700MB1A2B3CX8", "202208150001", 1).text[-4:]
    '01.I'
    >>> document_number("赣蓉办发", 2022, 4)
    '赣蓉办发〔2022〕4号'
"""

from certlib.identifiers.certificate import ROOT, CertificateIdentifier, mod37_36, with_check_character
from certlib.identifiers.citizen import check_citizen_number, citizen_check_character, modern_citizen_number
from certlib.identifiers.numbers import NumberRule, check_document_number, check_number, document_number, format_number
from certlib.identifiers.organisation import (
    check_uscc,
    organisation_check_character,
    uscc_check_character,
    uscc_warnings,
)
from certlib.identifiers.printed import check_code, check_code_matches

__all__ = [
    "ROOT",
    "CertificateIdentifier",
    "NumberRule",
    "check_citizen_number",
    "check_code",
    "check_code_matches",
    "check_document_number",
    "check_number",
    "check_uscc",
    "citizen_check_character",
    "document_number",
    "format_number",
    "mod37_36",
    "modern_citizen_number",
    "organisation_check_character",
    "uscc_check_character",
    "uscc_warnings",
    "with_check_character",
]
