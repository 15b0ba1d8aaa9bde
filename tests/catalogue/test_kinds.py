"""Certificate and document types as they ship."""

import re
from pathlib import Path

import pytest

from certlib.catalogue import Catalogue, load_catalogue
from certlib.domain.actions import Action
from certlib.domain.kinds import Allocator, CertificateType, DocumentType, FieldKind
from certlib.identifiers import check_uscc, document_number, format_number

TEMPLATES = Path(__file__).parents[2] / "templates"
SHIPPED = load_catalogue()
CERTIFICATES = pytest.mark.parametrize("kind", SHIPPED.certificate_types.values(), ids=lambda kind: kind.key)
DOCUMENTS = pytest.mark.parametrize("kind", SHIPPED.document_types.values(), ids=lambda kind: kind.key)
KINDS = pytest.mark.parametrize(
    "kind", [*SHIPPED.certificate_types.values(), *SHIPPED.document_types.values()], ids=lambda kind: kind.key
)
SUPPLIED = {"number", "issuer", "issued_on", "valid_from", "valid_until", "edition", "identifier", "check_code"}
FACES = {
    "medical-device-licence": (
        "enterprise_name uscc legal_representative person_in_charge residence premises mode scope warehouse"
    ),
    "medical-device-filing": (
        "enterprise_name uscc legal_representative person_in_charge residence premises mode scope warehouse"
    ),
    "gas-licence": "enterprise_name registered_address legal_representative category area change_record",
    "construction-planning-permit": "builder project_name location scale attachments",
    "licence-decision": (
        "applicant applicant_code legal_representative address matter accepted_on case basis decision_text "
        "certificate_name certificate_number validity"
    ),
    "filing-receipt": "applicant applicant_code matter contract_name materials case",
}
# Numbers of real papers or of the rule texts, with this city's parts.
KNOWN_NUMBERS = {
    "medical-device-licence": ["赣虔药监械经营许20220001号", "赣虔食药监械经营许20187006号"],
    "medical-device-filing": ["赣虔药监械经营备20150159号"],
    "drug-retail-licence": ["赣CA797510001", "赣DB797000001"],
    "gas-licence": ["赣202207010001GP"],
    "construction-planning-permit": ["建字第360723202000006号"],
    "site-selection-opinion": ["用字第360723201900004号", "选字第360723201900004号"],
    "real-estate-title": ["赣（2022）赣州市不动产权第0000001号"],
    "special-equipment-registration": ["梯11赣B3622(16)", "梯11赣B00001(22)"],
    "mining-licence": ["C3607002022047110000001"],
    "exploration-licence": ["T36070020220400101", "T3607002022040010000001"],
}


@pytest.mark.parametrize("key", FACES)
def test_the_six_faces_ask_for_exactly_their_facts(key: str, catalogue: Catalogue) -> None:
    """Templates, examples and catalogue agree on the keys."""
    assert [spec.key for spec in catalogue.kind(key).fields] == FACES[key].split()


@KINDS
def test_no_kind_asks_for_what_the_issue_supplies(kind: CertificateType | DocumentType) -> None:
    """Number, issuer and days come from the issuance and never from the request."""
    assert not {spec.key for spec in kind.fields} & SUPPLIED
    assert all(spec.label and spec.english for spec in kind.fields)


@KINDS
def test_numbers_in_the_small_code_are_never_shared(kind: CertificateType | DocumentType, catalogue: Catalogue) -> None:
    """Certificates below 100, documents above, each its own."""
    every = [*catalogue.certificate_types.values(), *catalogue.document_types.values()]
    assert [other.key for other in every if other.code_number == kind.code_number] == [kind.key]
    assert (kind.code_number > 100) == isinstance(kind, DocumentType)


@CERTIFICATES
def test_a_type_code_is_known_or_marked_as_the_citys_own(kind: CertificateType, catalogue: Catalogue) -> None:
    """21 characters whose first 18 are the USCC of whoever defined the type; invented ones say so."""
    assert len(kind.code) == 21
    check_uscc(kind.code[:18])
    defined_here = kind.code[:18] in {authority.uscc for authority in catalogue.authorities.values()}
    assert defined_here is kind.code_assumed
    assert ("证照类型代码为本市自定义" in kind.assumed) is kind.code_assumed


def test_type_codes_are_unique_and_the_two_known_ones_are_the_nations(catalogue: Catalogue) -> None:
    """不动产权证书 and 不动产登记证明 carry the codes of 自然资源部."""
    codes = {kind.code: kind.key for kind in catalogue.certificate_types.values()}
    assert len(codes) == len(catalogue.certificate_types)
    assert codes["11100000MB03271699001"] == "real-estate-title"
    assert codes["11100000MB03271699022"] == "real-estate-registration-proof"


@CERTIFICATES
def test_a_local_number_has_the_form_it_is_checked_against(kind: CertificateType) -> None:
    """The pattern and the regular expression agree for every value of a fact that the number carries."""
    assert re.fullmatch(kind.number.regex, kind.number.example)
    if kind.number.allocator is not Allocator.LOCAL:
        assert not kind.number.pattern
        return
    examples = {spec.key: spec.example for spec in kind.fields}
    for key, codes in kind.number.codes.items() or [("", {"": ""})]:
        spec = next((spec for spec in kind.fields if spec.key == key), None)
        assert spec is None or set(spec.choices) == set(codes)
        for value in codes:
            number = format_number(kind.number, year=2026, serial=1, facts={**examples, key: value})
            assert re.fullmatch(kind.number.regex, number)


@pytest.mark.parametrize(("key", "number"), [(key, number) for key, all_ in KNOWN_NUMBERS.items() for number in all_])
def test_numbers_after_published_rules_pass(key: str, number: str, catalogue: Catalogue) -> None:
    """What the rules and existing certificates show is accepted."""
    assert re.fullmatch(catalogue.certificate_types[key].number.regex, number)


@DOCUMENTS
def test_documents_are_numbered_by_year_and_share_a_counter_only_with_their_mark(kind: DocumentType) -> None:
    """Kinds that write the same characters before 〔year〕 draw on the same counter, so no number comes twice."""
    if kind.number.allocator is not Allocator.LOCAL:
        return
    number = document_number("赣市行审", 2026, 7, kind.number)
    assert number.endswith(f"{kind.number.scope}字〔2026〕7号")


@CERTIFICATES
def test_every_certificate_has_an_original_and_words_for_its_actions(kind: CertificateType) -> None:
    """One 正本 or 证书, at most 副本 or 标志 beside it; a label for each action; existing ones can be brought in."""
    assert [copy.kind for copy in kind.copies] in (["original"], ["original", "duplicate"])
    assert {copy.label for copy in kind.copies} <= {"正本", "副本", "证书", "使用标志"}
    assert Action.IMPORT in kind.actions
    assert kind.actions - {Action.IMPORT} == set(kind.labels)
    assert {"number", "issuer", "issued_on"} <= set(kind.supplied)
    renewable = kind.actions & {Action.RENEW, Action.REPLACE}
    assert not renewable or kind.validity.years or kind.validity.months


def test_the_gas_licence_has_an_original_and_a_duplicate(catalogue: Catalogue) -> None:
    """正本 and 副本, one of each."""
    copies = catalogue.certificate_types["gas-licence"].copies
    assert [(copy.label, copy.count) for copy in copies] == [("正本", 1), ("副本", 1)]


def test_the_medical_device_licence_lasts_five_years_with_a_window_of_working_days(catalogue: Catalogue) -> None:
    """Ninety to thirty working days before expiry; a late application is not taken."""
    validity = catalogue.certificate_types["medical-device-licence"].validity
    assert (validity.years, validity.renewal_window, validity.working_days) == (5, (90, 30), True)
    assert not validity.late_renewal
    assert not validity.assumed


def test_the_code_of_the_holder_may_never_be_changed(catalogue: Catalogue) -> None:
    """A USCC on a face is the holder's; another holder is a transfer."""
    for kind in catalogue.certificate_types.values():
        assert not any(spec.changeable for spec in kind.fields if spec.kind is FieldKind.USCC)


def test_what_names_a_minor_is_not_public(catalogue: Catalogue) -> None:
    """The recognition of a pupil's bonus is kept from the public look-up as a whole."""
    assert not catalogue.document_types["exam-bonus-recognition"].public


@KINDS
def test_a_persons_number_is_never_public(kind: CertificateType | DocumentType) -> None:
    """Facts that can hold a citizen number stay out of the public look-up."""
    personal = {FieldKind.CITIZEN_NUMBER, FieldKind.SUBJECT_CODE}
    assert not any(spec.public for spec in kind.fields if spec.kind in personal)


@KINDS
def test_a_named_template_is_there(kind: CertificateType | DocumentType) -> None:
    """A face is named only when its folder is in the repository."""
    assert not kind.template or (TEMPLATES / kind.template / "template.toml").is_file()


def test_every_template_belongs_to_a_kind(catalogue: Catalogue) -> None:
    """No folder of templates is left that nothing is printed with."""
    named = {kind.template for kind in catalogue.certificate_types.values()}
    named |= {kind.template for kind in catalogue.document_types.values()}
    assert {path.parent.name for path in TEMPLATES.glob("*/template.toml")} <= named


def test_the_documents_of_the_procedure_are_all_there(catalogue: Catalogue) -> None:
    """The names an official looks for."""
    names = {kind.name for kind in catalogue.document_types.values()}
    assert {
        "受理通知书",
        "不予受理通知书",
        "申请材料补正告知书",
        "审核转报件",
        "审批流转单",
        "准予行政许可决定书",
        "不予行政许可决定书",
        "准予变更行政许可决定书",
        "准予延续行政许可决定书",
        "撤销行政许可决定书",
        "撤回行政许可决定书",
        "注销行政许可决定书",
        "批复",
        "企业投资项目核准批复",
        "备案回执",
        "水利工程竣工验收意见",
        "认定名单",
        "送达回证",
    } <= names


def test_documents_that_close_a_licence_bear_the_organs_seal(catalogue: Catalogue) -> None:
    """撤销、撤回、注销 with 机关印章; the district's report with the district's; internal papers are not outward."""
    seals = {key: kind.seal for key, kind in catalogue.document_types.items()}
    assert {key for key, seal in seals.items() if seal == "organ"} == {
        "revocation-decision",
        "withdrawal-decision",
        "cancellation-decision",
    }
    assert [key for key, seal in seals.items() if seal == "district"] == ["review-report"]
    internal = {key for key, kind in catalogue.document_types.items() if not kind.outward}
    assert internal == {"review-report", "approval-flow-sheet"}
