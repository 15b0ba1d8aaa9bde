"""Who may call: assertions once, tokens briefly, scopes exactly, tenants their own."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from certlib.errors import ConfigurationError
from service.clients import SCOPES
from service.commands import DEVELOPMENT_CLIENT, development_key_file, open_service
from service.settings import load_service_settings
from service.tokens import ASSERTION_TYPE, client_assertion, token_request
from tests.web.conftest import client_entry

BASE = "http://testserver"
ENDPOINT = f"{BASE}/oauth/token"
STRANGER, READER = "client-education", "client-reader"


def _now() -> datetime:
    return datetime.now(UTC)


def _form(web: Any, **changes: str) -> dict[str, str]:
    form = token_request(DEVELOPMENT_CLIENT, web.keys[DEVELOPMENT_CLIENT], audience=ENDPOINT, now=_now())
    return {**form, **changes}


def test_an_assertion_buys_one_token(web: Any) -> None:
    """A token comes with its lifetime and scopes; the same assertion a second time is a replay."""
    form = _form(web)
    first, second = web.http.post("/oauth/token", data=form), web.http.post("/oauth/token", data=form)
    assert (first.status_code, first.json()["token_type"]) == (200, "Bearer")
    assert first.json()["expires_in"] <= 300
    assert first.headers["cache-control"] == "no-store"
    assert (second.status_code, second.json()["error"]) == (401, "invalid_client")


def test_a_token_for_less_than_all_scopes(web: Any) -> None:
    """Scopes asked for are those granted; one the client has not is refused."""
    less = web.http.post("/oauth/token", data=_form(web, scope="certificate:read"))
    assert less.json()["scope"] == "certificate:read"
    form = token_request(READER, web.keys[READER], audience=ENDPOINT, now=_now(), scopes=["certificate:issue"])
    assert web.http.post("/oauth/token", data=form).json()["error"] == "invalid_scope"


def _bent(web: Any, how: str) -> str:
    key = web.keys[DEVELOPMENT_CLIENT]
    made = {
        "another's key": lambda: client_assertion(
            DEVELOPMENT_CLIENT, web.keys[STRANGER], audience=ENDPOINT, now=_now()
        ),
        "unknown client": lambda: client_assertion("client-nobody", key, audience=ENDPOINT, now=_now()),
        "another audience": lambda: client_assertion(DEVELOPMENT_CLIENT, key, audience="https://else", now=_now()),
        "expired": lambda: client_assertion(
            DEVELOPMENT_CLIENT, key, audience=ENDPOINT, now=_now() - timedelta(minutes=10)
        ),
        "too long-lived": lambda: client_assertion(
            DEVELOPMENT_CLIENT, key, audience=ENDPOINT, now=_now(), lifetime=timedelta(hours=1)
        ),
        "before our start": lambda: client_assertion(
            DEVELOPMENT_CLIENT, key, audience=ENDPOINT, now=_now() - timedelta(hours=1), lifetime=timedelta(hours=1.02)
        ),
        "no jti": lambda: jwt.encode(
            {"alg": "ES256"},
            {"iss": DEVELOPMENT_CLIENT, "sub": DEVELOPMENT_CLIENT, "aud": ENDPOINT, "exp": 2**33, "iat": 1},
            key,
        ),
        "alg none": lambda: "eyJhbGciOiJub25lIn0.eyJzdWIiOiJjbGllbnQtYXBwcm92YWwtc3lzdGVtIn0.",
        "not a JWT": lambda: "hello",
        "empty": lambda: "",
    }
    return made[how]()


@pytest.mark.parametrize(
    "how",
    [
        "another's key", "unknown client", "another audience", "expired", "too long-lived", "before our start",
        "no jti", "alg none", "not a JWT", "empty",
    ],
)  # fmt: skip
def test_a_bad_assertion_buys_nothing(web: Any, how: str) -> None:
    """Every way to be wrong ends in `invalid_client`, status 401, and no word about which clients there are."""
    response = web.http.post("/oauth/token", data=_form(web, client_assertion=_bent(web, how)))
    assert (response.status_code, response.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_assertion_type": "secret"}, "invalid_client"),
    ],
)
def test_other_grants_are_refused(web: Any, changes: dict[str, str], error: str) -> None:
    """Only client credentials with private_key_jwt."""
    assert ASSERTION_TYPE not in changes.values()
    assert web.http.post("/oauth/token", data=_form(web, **changes)).json()["error"] == error


def test_without_a_token_nothing_opens(web: Any) -> None:
    """401 with a challenge; without a token the challenge names no error (RFC 6750, 3)."""
    response = web.http.get("/v1/certificates")
    assert (response.status_code, response.json()["code"]) == (401, "unauthenticated")
    assert response.headers["www-authenticate"] == 'Bearer realm="certlib"'


def _token(key: ECKey, **changes: Any) -> str:
    issued = int(_now().timestamp())
    claims = {"iss": BASE, "aud": BASE, "sub": DEVELOPMENT_CLIENT, "scope": "certificate:read", "iat": issued}
    return jwt.encode({"alg": "ES256", "typ": "at+jwt"}, {**claims, "exp": issued + 60, **changes}, key)


@pytest.mark.parametrize("how", ["another key", "expired", "another issuer", "an assertion", "nonsense"])
def test_a_bad_token_is_invalid(web: Any, how: str) -> None:
    """Tokens that are not ours, no longer good, or something else."""
    own = web.service.desk._key
    bad = {
        "another key": lambda: _token(web.keys[STRANGER]),
        "expired": lambda: _token(own, exp=int(_now().timestamp()) - 1),
        "another issuer": lambda: _token(own, iss="https://else"),
        "an assertion": lambda: client_assertion(DEVELOPMENT_CLIENT, own, audience=BASE, now=_now()),
        "nonsense": lambda: "nonsense",
    }
    response = web.http.get("/v1/certificates", headers={"Authorization": f"Bearer {bad[how]()}"})
    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_the_token_helper_s_token_is_accepted(web: Any) -> None:
    """What a caller makes with `service.tokens` opens what its scopes cover."""
    assert web.http.get("/v1/certificates", headers=web.headers()).status_code == 200


def test_a_scope_that_is_missing_is_named(web: Any) -> None:
    """A reader may read and not issue; the problem names the scope, and nothing was done."""
    before = web.counts()
    response = web.post(web.request(), client=READER)
    assert (response.status_code, response.json()["code"]) == (403, "insufficient-scope")
    assert response.json()["scope"] == "certificate:issue"
    assert 'scope="certificate:issue"' in response.headers["www-authenticate"]
    assert web.counts() == before


def test_a_stranger_s_certificate_does_not_exist(web: Any) -> None:
    """Reading, downloading, acting on and printing another tenant's certificate: 404 each, as for one never issued."""
    own = web.issued()
    headers = web.headers(STRANGER)
    path = f"/v1/certificates/{own['identifier']}"
    for address in (path, f"{path}/sheets", f"{path}/editions/1/file"):
        assert web.http.get(address, headers=headers).status_code == 404
        assert web.http.get(address, headers=web.headers()).status_code == 200
    act = web.http.post(
        f"{path}/actions",
        json={"action": "cancel"},
        headers={**headers, "Idempotency-Key": "stranger", "If-Match": '"1"'},
    )
    prints = web.post({"identifier": own["identifier"], "purpose": "偷看"}, path="/v1/paper/prints", client=STRANGER)
    assert (act.status_code, prints.status_code) == (404, 404)
    listed = web.http.get("/v1/certificates", headers=headers).json()["certificates"]
    assert own["identifier"] not in [row["identifier"] for row in listed]


def test_nobody_issues_in_another_s_name(web: Any) -> None:
    """A case of authorities the client does not act for is refused before anything is numbered."""
    before = web.counts()
    response = web.post(web.request(), client=STRANGER)
    assert response.status_code == 422
    assert response.json()["faults"][0]["code"] == "not-your-authority"
    batch = web.post({"lines": [web.request()]}, path="/v1/batches", client=STRANGER)
    assert batch.json()["faults"][0]["path"] == "lines.0.decision"
    assert web.counts() == before


def test_seals_are_shown_to_their_owner(web: Any) -> None:
    """A bureau sees its own seals, the window system all; nobody a picture."""
    every = web.http.get("/v1/seals", headers=web.headers()).json()["seals"]
    own = web.http.get("/v1/seals", headers=web.headers(STRANGER)).json()["seals"]
    assert {seal["authority"] for seal in own} == {"ganzhou-education"}
    assert len(every) > len(own) > 0
    assert "svg" not in str(every)


@pytest.mark.parametrize("which", ["token", "client"])
def test_copied_development_keys_open_no_service_outside_development(
    web: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, which: str
) -> None:
    """The token key or a client's: known by its fingerprint, wherever it lies."""
    own = ECKey.generate_key("P-256")
    for name, private in (("own", True), ("own.pub", False)):
        (tmp_path / f"{name}.pem").write_bytes(own.as_pem(private=private))
    published = development_key_file(DEVELOPMENT_CLIENT, public=True)
    for name, source in (("token", development_key_file("token")), ("client", published)):
        (tmp_path / f"{name}.pem").write_bytes(Path(source.removeprefix("file:")).read_bytes())
    keys = {"token": f"file:{tmp_path}/own.pem", "client": f"file:{tmp_path}/own.pub.pem"}
    keys[which] = f"file:{tmp_path}/{which}.pem"
    entry = client_entry("client-own", "*", tuple(SCOPES), keys["client"])
    settings = load_service_settings(tmp_path, token_key=keys["token"], clients=[entry])
    monkeypatch.setattr(web.office, "settings", replace(web.office.settings, environment="production"))
    with pytest.raises(ConfigurationError, match="开发密钥"):
        open_service(web.office, settings)
