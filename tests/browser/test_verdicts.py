"""Every verdict that a scan can end in, as a citizen's phone shows it."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from certlib.crypto.development import development_key
from certlib.domain.verdict import WORDS, StatusCode, Verdict
from certlib.formats.status_entries import WIDTHS

STATES = {
    Verdict.VALID: StatusCode.VALID,
    Verdict.REVOKED: StatusCode.REVOKED,
    Verdict.SUSPENDED: StatusCode.SUSPENDED,
    Verdict.SUPERSEDED: StatusCode.SUPERSEDED,
    Verdict.PAPER_LOST: StatusCode.PAPER_LOST,
    Verdict.VOIDED: StatusCode.PRINT_VOIDED,
    Verdict.CANCELLED: StatusCode.CANCELLED,
    Verdict.NOT_IN_FORCE: StatusCode.NOT_IN_FORCE,
}


def _is_said(phone: Any, verdict: Verdict, *, besides: str = "no complaint") -> None:
    """Its words, tone, title and advice; the console is silent but for what the browser says of a failing request."""
    words = WORDS[verdict]
    assert phone.text("#words") == words.chinese
    assert phone.page.get_attribute("#verdict", "class") == words.tone
    assert phone.page.title().startswith(words.chinese)
    assert phone.text("#advice")
    assert [line for line in phone.complaints if besides not in line] == []


@pytest.mark.parametrize(("verdict", "code"), STATES.items(), ids=str)
def test_each_status_is_said_in_the_library_s_words(phone: Any, issuer: Any, verdict: Verdict, code: int) -> None:
    """The status list's code decides; words and colour are those of the library, the fields are shown to compare."""
    assert phone.scan(issuer.link(41, code)) == verdict
    _is_said(phone, verdict)
    assert "赣虔药监械经营许20260017号" in phone.text("#fields")
    assert "状态数据时间" in phone.text("#fresh")


def test_expired_is_computed_from_the_signed_last_day(phone: Any, issuer: Any) -> None:
    """On the last day it is valid, on the next it has expired."""
    shanghai = (datetime.now(UTC) + timedelta(hours=8)).date()
    assert phone.scan(issuer.link(1, expires=shanghai)) == Verdict.VALID
    assert phone.scan(issuer.link(1, expires=shanghai - timedelta(days=1))) == Verdict.EXPIRED
    _is_said(phone, Verdict.EXPIRED)


@pytest.mark.parametrize("code", [StatusCode.SUPERSEDED, StatusCode.SUSPENDED, StatusCode.REVOKED])
def test_expiry_never_hides_a_graver_state(phone: Any, issuer: Any, code: int) -> None:
    """Superseded, suspended and revoked take precedence over expired, as in the library."""
    assert phone.scan(issuer.link(1, code, expires=date(2026, 4, 1))) not in {Verdict.EXPIRED, Verdict.VALID}


def test_without_end_is_said(phone: Any, issuer: Any) -> None:
    """A certificate without last day shows 长期."""
    assert phone.scan(issuer.link(1, expires=None)) == Verdict.VALID
    assert "长期" in phone.text("#fields")


def test_a_minor_s_name_is_left_out(phone: Any, issuer: Any) -> None:
    """An empty name has no line, rather than an empty one to compare."""
    phone.scan(issuer.link(1, name=""))
    assert "持证主体" not in phone.text("#fields")


def test_no_list_is_never_green(phone: Any, issuer: Any) -> None:
    """The signature holds, the status cannot be had: amber, with what that means."""
    issuer.status_down = True
    assert phone.scan(issuer.link(1)) == Verdict.STATUS_UNKNOWN
    _is_said(phone, Verdict.STATUS_UNKNOWN, besides="503")


def test_expired_without_a_list(phone: Any, issuer: Any) -> None:
    """The day alone tells; that the status could not be had is said beneath."""
    issuer.status_down = True
    assert phone.scan(issuer.link(1, expires=date(2026, 4, 1))) == Verdict.EXPIRED
    assert "没有取得最新状态" in phone.text("#advice")
    assert "未核对" in phone.text("#fresh")


@pytest.mark.parametrize("bits", WIDTHS)
def test_a_list_of_another_width_is_read(phone: Any, issuer: Any, bits: int) -> None:
    """The widths of the Token Status List draft: neighbours in one byte are not mixed up."""
    issuer.bits = bits
    issuer.entries = {7: StatusCode.VALID, 8: StatusCode.REVOKED, 9: StatusCode.VALID}
    assert [phone.scan(issuer.link(n, None)) for n in (7, 8, 9)] == [Verdict.VALID, Verdict.REVOKED, Verdict.VALID]


def test_above_the_high_water_the_list_says_nothing(phone: Any, issuer: Any) -> None:
    """An index allotted after the list was made is not judged by its fill."""
    issuer.high_water = 10
    assert phone.scan(issuer.link(11, None)) == Verdict.STATUS_UNKNOWN


def test_an_old_list_is_not_believed(phone: Any, issuer: Any) -> None:
    """A day after it was signed a list has expired, and its time is shown."""
    issuer.issued = datetime.now(UTC) - timedelta(hours=25)
    assert phone.scan(issuer.link(1)) == Verdict.STATUS_UNKNOWN
    assert "离线数据" in phone.text("#fresh")


def test_a_list_signed_by_another_is_not_believed(phone: Any, issuer: Any) -> None:
    """A status list under a key that is not for status lists counts as none."""
    issuer.status = development_key("code-2026")
    assert phone.scan(issuer.link(1)) == Verdict.STATUS_UNKNOWN


def test_a_list_that_went_back_is_not_believed(phone: Any, issuer: Any) -> None:
    """Once a phone has seen a list of a larger journal, a smaller one is a roll-back."""
    assert phone.scan(issuer.link(1, StatusCode.REVOKED)) == Verdict.REVOKED
    issuer.journal_size -= 1
    assert phone.scan(issuer.link(1, StatusCode.VALID)) == Verdict.STATUS_UNKNOWN


def test_a_revocation_shows_at_the_next_scan(phone: Any, issuer: Any) -> None:
    """Lists are asked for anew at each scan."""
    assert phone.scan(issuer.link(7)) == Verdict.VALID
    issuer.journal_size += 1
    assert phone.scan(issuer.link(7, StatusCode.REVOKED)) == Verdict.REVOKED


def test_unknown_key_is_unknown_issuer(phone: Any, issuer: Any) -> None:
    """A code signed by a key that is not on the list: not confirmed, and no field shown."""
    issuer.code = development_key("status-2026")
    assert phone.scan(issuer.link(1)) == Verdict.UNKNOWN_ISSUER
    _is_said(phone, Verdict.UNKNOWN_ISSUER)
    assert phone.page.is_hidden("#paper")
    assert phone.page.is_hidden("#register")


def test_compromised_key_is_not_believed(phone: Any, issuer: Any) -> None:
    """What a compromised key signed is to be asked for at the register."""
    issuer.key_state = "compromised"
    assert phone.scan(issuer.link(1)) == Verdict.SIGNATURE_INVALID
    assert "登记机关" in phone.text("#advice")
    assert phone.page.is_hidden("#paper")
    assert phone.page.is_visible("#ask")  # the register alone can confirm it, and is asked with the code


def test_an_edited_code_shows_nothing(phone: Any, issuer: Any) -> None:
    """One digit of the payload changed: suspected forgery, and not one field of it on the screen."""
    good = issuer.link(1)
    at = 120
    edited = good[:at] + str((int(good[at]) + 1) % 10) + good[at + 1 :]
    assert phone.scan(edited) in {Verdict.SIGNATURE_INVALID, Verdict.UNREADABLE}
    assert phone.page.is_hidden("#paper")


def test_a_forged_signature_is_suspected_forgery(phone: Any, issuer: Any) -> None:
    """The signature of another code under this payload."""
    one, other = issuer.link(1), issuer.link(2)
    assert phone.scan(one[:-85] + other[-85:]) == Verdict.SIGNATURE_INVALID
    _is_said(phone, Verdict.SIGNATURE_INVALID)
    assert phone.page.is_hidden("#paper")
    assert phone.text("#fields") == ""


def test_a_key_may_be_younger_than_the_paper_s_day(phone: Any, issuer: Any) -> None:
    """A sheet printed anew keeps its day of issue; a retired key does not sign what was issued after it."""
    issuer.key_since = datetime(2026, 6, 1, tzinfo=UTC)
    assert phone.scan(issuer.link(1, issued=date(2026, 3, 15))) == Verdict.VALID
    issuer.key_state, issuer.key_until = "retired", datetime(2026, 9, 1, tzinfo=UTC)
    assert phone.scan(issuer.link(1, issued=date(2026, 8, 1))) == Verdict.VALID
    assert phone.scan(issuer.link(1, issued=date(2026, 9, 2))) == Verdict.SIGNATURE_INVALID
    assert "使用期" in phone.text("#advice")


def test_a_wrongly_signed_trust_list_confirms_nothing(phone: Any, issuer: Any) -> None:
    """A list by another key than the pinned one makes no code genuine."""
    issuer.signers = [development_key("journal")]
    assert phone.scan(issuer.link(1)) == Verdict.UNKNOWN_ISSUER
    assert "信任列表" in phone.text("#advice")


def test_a_trust_list_that_went_back_confirms_nothing(phone: Any, issuer: Any) -> None:
    """A phone that has seen a later trust list refuses an earlier one."""
    issuer.seq = 5
    assert phone.scan(issuer.link(1)) == Verdict.VALID
    issuer.seq = 4
    assert phone.scan(issuer.link(1)) == Verdict.UNKNOWN_ISSUER


def test_a_browser_without_decompression_brings_its_own(phone: Any, issuer: Any) -> None:
    """Older phones: the list is unpacked by the page's own code, and says the same of a crowded shard."""
    phone.page.add_init_script("delete self.DecompressionStream")
    issuer.entries = {n: (n * 7919) % 16 & 3 for n in range(5000)}
    issuer.high_water = 5000
    assert phone.scan(issuer.link(4000, StatusCode.SUSPENDED)) == Verdict.SUSPENDED
    assert phone.scan(issuer.link(4001, StatusCode.VALID)) == Verdict.VALID


NO_ED25519 = (
    "const real = crypto.subtle.importKey.bind(crypto.subtle);"
    "crypto.subtle.importKey = (format, data, kind, ...rest) => kind.name === 'Ed25519'"
    " ? Promise.reject(new DOMException('no', 'NotSupportedError')) : real(format, data, kind, ...rest);"
)


def test_a_browser_without_ed25519_checks_the_other_signature(phone: Any, issuer: Any) -> None:
    """The trust list bears one of P-256 as well; codes are checked as ever."""
    phone.page.add_init_script(NO_ED25519)
    one, other = issuer.link(1), issuer.link(2)
    assert phone.scan(one) == Verdict.VALID
    assert phone.scan(one[:-85] + other[-85:]) == Verdict.SIGNATURE_INVALID


def test_a_browser_that_can_check_no_signature_confirms_nothing(phone: Any, issuer: Any) -> None:
    """A list signed with Ed25519 alone, in a browser without it."""
    phone.page.add_init_script(NO_ED25519)
    issuer.signers = issuer.signers[:1]
    assert phone.scan(issuer.link(1)) == Verdict.UNKNOWN_ISSUER
    assert "信任列表" in phone.text("#advice")


BAD = {
    "truncated": lambda good: good[: len(good) // 2],
    "one digit short": lambda good: good[:-1],
    "too long": lambda good: "1" + "0" * 3000,
    "future format": lambda good: "2" + good[1:],
    "not digits": lambda good: "hello",
    "a block too large": lambda good: "1" + "9" * 17,
    "an empty message": lambda good: "1",
    "no CBOR": lambda good: "1" + "00255" * 1 + good[-34:],
}


@pytest.mark.parametrize("bend", BAD.values(), ids=list(BAD))
def test_what_is_no_code_is_said_in_plain_words(phone: Any, issuer: Any, bend: Any) -> None:
    """Truncated, foreign and future codes end in a grey state with a sentence, without complaint in the console."""
    assert phone.scan(bend(issuer.link(1))) == Verdict.UNREADABLE
    _is_said(phone, Verdict.UNREADABLE)
    assert phone.page.is_hidden("#paper")
