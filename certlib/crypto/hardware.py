"""Keys inside a PKCS #11 token: `pkcs11:token=seals;object=seal-1?module-path=/usr/lib/…so&pin-source=env:SEAL_PIN`.

The URI is RFC 7512's, with `pin-source` a reference to a secret; a PIN written into it is refused. One token is opened
once and used by one thread at a time: modules are entitled to fail, and SoftHSM does crash, when two sessions sign at
once. A process that forks must open its tokens after the fork. A wrong PIN is tried once and never again in this
process, because tokens lock themselves; a token that vanished is opened anew at the next use.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from certlib.crypto import der
from certlib.crypto.keys import Secrets, SigningKey
from certlib.crypto.suites import suite_named, suite_of
from certlib.errors import ConfigurationError, KeyUnavailableError, VerificationError

_PATH = frozenset({"token", "object", "id", "type"})
_QUERY = frozenset({"module-path", "pin-source"})


@dataclass(frozen=True, slots=True)
class TokenUri:
    """The parts of a `pkcs11:` URI that are used: where the module is, which token, which object."""

    module: str
    token: str
    label: str | None
    id: bytes | None
    pin_source: str | None

    @classmethod
    def parse(cls, text: str) -> TokenUri:
        """The URI without its scheme. Raises `ConfigurationError` for parts unknown, missing or secret."""
        path, _, query = text.partition("?")
        values = {**_pairs(path, ";", _PATH), **_pairs(query, "&", _QUERY)}
        if not values.get("token") or not (values.get("object") or values.get("id")) or not values.get("module-path"):
            raise ConfigurationError("密钥 URI pkcs11: 须有 token、object（或 id）和 module-path。")
        identity = values.get("id")
        return cls(
            module=values["module-path"],
            token=values["token"],
            label=values.get("object"),
            id=identity.encode("latin-1") if identity else None,
            pin_source=values.get("pin-source"),
        )

    @property
    def name(self) -> str:
        """What stands for the key in messages."""
        return f"{self.token}/{self.label or (self.id or b'').hex()}"


@dataclass(slots=True)
class Token:
    """One token of one module, opened once, used by one thread at a time."""

    module: str
    label: str
    pin: str | None = field(repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)
    _session: Any = field(default=None, repr=False)
    _pid: int = field(default_factory=os.getpid, repr=False)
    _refused: bool = False

    def use(self, work: Callable[[Any], bytes]) -> bytes:
        """What `work` makes of the open session.

        Raises `KeyUnavailableError` for a missing module or token, a wrong PIN, and any failure inside the token.
        """
        pkcs11 = _library()
        with self._lock:
            self._refuse_after_fork()
            try:
                return work(self._open(pkcs11))
            except pkcs11.PKCS11Error as error:
                self._forget(pkcs11)
                raise KeyUnavailableError(
                    f"密码设备 {self.label} 出错（{_reason(error)}），请检查设备后重试。"
                ) from error

    def _open(self, pkcs11: Any) -> Any:
        if self._session is not None:
            return self._session
        if self._refused:
            raise KeyUnavailableError(f"密码设备 {self.label} 的 PIN 不对；为免锁死不再尝试，请改正后重启。")
        try:
            token = _module(pkcs11, self.module).get_token(token_label=self.label)
            self._session = token.open(user_pin=self.pin)
        except (pkcs11.PinIncorrect, pkcs11.PinLocked, pkcs11.PinLenRange, pkcs11.PinInvalid) as error:
            self._refused = True
            raise KeyUnavailableError(f"密码设备 {self.label} 的 PIN 不对或已锁死，请核对 pin-source。") from error
        except pkcs11.UserAlreadyLoggedIn as error:  # the token did not even look at this PIN
            raise KeyUnavailableError(f"密码设备 {self.label} 已以另一 PIN 登录，请核对 pin-source。") from error
        except pkcs11.NoSuchToken as error:
            raise KeyUnavailableError(f"找不到密码设备 {self.label}，请检查是否插好、标签是否正确。") from error
        return self._session

    def _forget(self, pkcs11: Any) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.close()
            except pkcs11.PKCS11Error:
                return  # the token is gone, and its sessions with it

    def _refuse_after_fork(self) -> None:
        if os.getpid() != self._pid:
            raise KeyUnavailableError(f"密码设备 {self.label} 是在进程分叉之前打开的，请在使用它的进程中打开。")


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key that never leaves its token. Safe for concurrent use; uses queue up."""

    suite: str
    public_key: bytes = field(repr=False)
    _token: Token = field(repr=False)
    _uri: TokenUri

    def sign(self, message: bytes) -> bytes:
        """The signature over `message` in the form of the suite."""
        mechanism = _MECHANISMS[self.suite]
        return self._token.use(lambda session: mechanism(_find(session, self._uri, private=True), message))


def open_token_key(rest: str, secrets: Secrets) -> SigningKey:
    """The key that a `pkcs11:` URI (without scheme) names; its public half is read from the token.

    Raises `ConfigurationError` for the URI, `KeyUnavailableError` for module, token, PIN or key.
    """
    uri = TokenUri.parse(rest)
    pin = secrets.resolve(uri.pin_source) if uri.pin_source else None
    token = _token(uri.module, uri.token, pin)
    public_key = token.use(lambda session: _public_key(session, uri))
    try:
        suite = suite_of(public_key).name
    except VerificationError as error:
        raise KeyUnavailableError(f"密码设备中的密钥 {uri.name}：{error.message}") from error
    if suite not in _MECHANISMS:
        raise KeyUnavailableError(f"密码设备中的密钥 {uri.name} 属于 {suite}，不支持在设备中使用。")
    return TokenKey(suite, public_key, token, uri)


_TOKENS: dict[tuple[str, str, str | None], Token] = {}
_TOKENS_LOCK = threading.Lock()


def _token(module: str, label: str, pin: str | None) -> Token:
    with _TOKENS_LOCK:
        return _TOKENS.setdefault((module, label, pin), Token(module, label, pin, _lock=_lock_of(module)))


_LOCKS: dict[str, threading.RLock] = {}


def _lock_of(module: str) -> threading.RLock:
    """One lock a module, not a token: it is the module that is not safe."""
    return _LOCKS.setdefault(module, threading.RLock())


def _library() -> Any:
    try:
        import pkcs11  # noqa: PLC0415  (an extra; only whoever uses a token needs it)
    except ImportError as error:
        raise ConfigurationError("使用密码设备需要安装 certlib[pkcs11]。") from error
    return pkcs11


def _module(pkcs11: Any, path: str) -> Any:
    try:
        return pkcs11.lib(path)
    except RuntimeError as error:
        raise KeyUnavailableError(
            f"密码设备的驱动 {path} 无法装入（{_reason(error)}），请检查 module-path。"
        ) from error


def _pairs(text: str, separator: str, known: frozenset[str]) -> Mapping[str, str]:
    pairs = [part.partition("=")[::2] for part in text.split(separator) if part]
    if any(key == "pin-value" for key, _ in pairs):
        raise ConfigurationError("PIN 不得写在密钥 URI 中，请用 pin-source=env:变量名 或 file:文件。")
    if unknown := {key for key, _ in pairs} - known:
        raise ConfigurationError(f"密钥 URI pkcs11: 有不认识的参数 {'、'.join(sorted(unknown))}。")
    return {key: unquote(value, encoding="latin-1" if key == "id" else "utf-8") for key, value in pairs}


def _find(session: Any, uri: TokenUri, *, private: bool) -> Any:
    pkcs11 = _library()
    kind = pkcs11.ObjectClass.PRIVATE_KEY if private else pkcs11.ObjectClass.PUBLIC_KEY
    try:
        return session.get_key(object_class=kind, label=uri.label, id=uri.id)
    except pkcs11.NoSuchKey as error:
        half = "私钥" if private else "公钥"
        raise KeyUnavailableError(f"密码设备中没有{half} {uri.name}，请核对 object 或 id。") from error
    except pkcs11.MultipleObjectsReturned as error:
        raise KeyUnavailableError(f"密码设备中有多个密钥 {uri.name}，请用 id 指明。") from error


def _public_key(session: Any, uri: TokenUri) -> bytes:
    pkcs11 = _library()
    _find(session, uri, private=True)
    public = _find(session, uri, private=False)
    if public.key_type == pkcs11.KeyType.RSA:
        algorithm = der.algorithm("1.2.840.113549.1.1.1", null=True)
        return der.sequence(algorithm, der.bits(pkcs11.util.rsa.encode_rsa_public_key(public)))
    if public.key_type == pkcs11.KeyType.EC:
        return bytes(pkcs11.util.ec.encode_ec_public_key(public))
    raise KeyUnavailableError(f"密码设备中的密钥 {uri.name} 的类型不受支持。")


def _sign_rsa(key: Any, message: bytes) -> bytes:
    return bytes(key.sign(message, mechanism=_library().Mechanism.SHA256_RSA_PKCS))


def _sign_p256(key: Any, message: bytes) -> bytes:
    """Raw ECDSA over a digest made here: not every token has ECDSA_SHA256."""
    digest = suite_named("p256-sha256").hash(message)
    raw = bytes(key.sign(digest, mechanism=_library().Mechanism.ECDSA))
    half = len(raw) // 2
    return der.sequence(*(der.integer(int.from_bytes(part, "big")) for part in (raw[:half], raw[half:])))


_MECHANISMS: dict[str, Callable[[Any, bytes], bytes]] = {"rsa3072-sha256": _sign_rsa, "p256-sha256": _sign_p256}


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
