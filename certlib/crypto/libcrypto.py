"""SM2 through the system's libcrypto (OpenSSL 3 or later), by ctypes and public EVP functions only.

The OpenSSL inside `cryptography` is built without SM2. Most Linux systems bring one that has it; Red Hat's, Fedora's
and Alpine's do not, nor does macOS. `unavailable()` says so in words. Another library may be named by the environment
variable CERTLIB_LIBCRYPTO. Calls release the interpreter's lock; a key may be used by several threads.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from ctypes import POINTER, byref, c_char_p, c_int, c_long, c_size_t, c_ulong, c_void_p
from ctypes.util import find_library
from functools import cache
from typing import Any

from certlib.errors import KeyUnavailableError

_SIGNATURE_ROOM = 80
_PASSPHRASE = ctypes.CFUNCTYPE(c_int, c_void_p, c_int, c_int, c_void_p)

# name -> result, arguments (OpenSSL 3 manual pages of the same name)
_FUNCTIONS: dict[str, tuple[Any, ...]] = {
    "BIO_free": (c_int, c_void_p),
    "BIO_new_mem_buf": (c_void_p, c_char_p, c_int),
    "CRYPTO_free": (None, c_void_p, c_char_p, c_int),
    "ERR_clear_error": (None,),
    "ERR_error_string_n": (None, c_ulong, c_char_p, c_size_t),
    "ERR_get_error": (c_ulong,),
    "EVP_DigestSign": (c_int, c_void_p, c_char_p, POINTER(c_size_t), c_char_p, c_size_t),
    "EVP_DigestSignInit": (c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "EVP_DigestVerify": (c_int, c_void_p, c_char_p, c_size_t, c_char_p, c_size_t),
    "EVP_DigestVerifyInit": (c_int, c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "EVP_MD_CTX_free": (None, c_void_p),
    "EVP_MD_CTX_new": (c_void_p,),
    "EVP_MD_CTX_set_pkey_ctx": (None, c_void_p, c_void_p),
    "EVP_PKEY2PKCS8": (c_void_p, c_void_p),
    "EVP_PKEY_CTX_free": (None, c_void_p),
    "EVP_PKEY_CTX_new": (c_void_p, c_void_p, c_void_p),
    "EVP_PKEY_CTX_new_from_name": (c_void_p, c_void_p, c_char_p, c_char_p),
    "EVP_PKEY_CTX_set1_id": (c_int, c_void_p, c_char_p, c_int),
    "EVP_PKEY_free": (None, c_void_p),
    "EVP_PKEY_generate": (c_int, c_void_p, POINTER(c_void_p)),
    "EVP_PKEY_is_a": (c_int, c_void_p, c_char_p),
    "EVP_PKEY_keygen_init": (c_int, c_void_p),
    "EVP_sm3": (c_void_p,),
    "PEM_read_bio_PrivateKey": (c_void_p, c_void_p, c_void_p, c_void_p, c_void_p),
    "PKCS8_PRIV_KEY_INFO_free": (None, c_void_p),
    "d2i_PUBKEY": (c_void_p, c_void_p, POINTER(c_char_p), c_long),
    "i2d_PKCS8_PRIV_KEY_INFO": (c_int, c_void_p, POINTER(c_void_p)),
    "i2d_PUBKEY": (c_int, c_void_p, POINTER(c_void_p)),
}


class LibcryptoError(KeyUnavailableError):
    """libcrypto is missing, lacks SM2, or failed."""


def unavailable() -> str | None:
    """Why SM2 cannot be used here, or None when it can."""
    if _loaded() is not None:
        return None
    return "本机的 libcrypto 不支持 SM2（需要 OpenSSL 3 且未以 no-sm2 编译），请换用支持的系统库"


class Sm2Pkey:
    """A private or public SM2 key inside libcrypto; freed with the object."""

    def __init__(self, pointer: int | None, what: str) -> None:
        self._lib = _library()
        self._pointer = pointer
        if not pointer or self._lib.EVP_PKEY_is_a(pointer, b"SM2") != 1:
            raise LibcryptoError(f"{what}不是可用的 SM2 密钥{_reason(self._lib)}。")

    def __del__(self) -> None:
        if getattr(self, "_pointer", None):
            self._lib.EVP_PKEY_free(self._pointer)

    @classmethod
    def generate(cls) -> Sm2Pkey:
        """A new key pair."""
        lib = _library()
        context, key = lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None), c_void_p(None)
        try:
            _must(lib, lib.EVP_PKEY_keygen_init(context) == 1)
            _must(lib, lib.EVP_PKEY_generate(context, byref(key)) == 1)
        finally:
            lib.EVP_PKEY_CTX_free(context)
        return cls(key.value, "新生成的密钥")

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes | None = None) -> Sm2Pkey:
        """The private key of a PEM text, PKCS #8 with or without passphrase."""
        lib = _library()

        def give(buffer: int, size: int, _writing: int, _data: int) -> int:
            if passphrase is None or len(passphrase) > size:
                return -1
            ctypes.memmove(buffer, passphrase, len(passphrase))
            return len(passphrase)

        callback, source = _PASSPHRASE(give), lib.BIO_new_mem_buf(pem, len(pem))
        try:
            pointer = lib.PEM_read_bio_PrivateKey(source, None, ctypes.cast(callback, c_void_p), None)
        finally:
            lib.BIO_free(source)
        return cls(pointer, "PEM 私钥")

    @classmethod
    def from_spki(cls, spki: bytes) -> Sm2Pkey:
        """The public key of a SubjectPublicKeyInfo."""
        start = c_char_p(spki)
        return cls(_library().d2i_PUBKEY(None, byref(start), len(spki)), "公钥")

    @property
    def spki(self) -> bytes:
        """SubjectPublicKeyInfo, DER."""
        return _written(self._lib, self._lib.i2d_PUBKEY, self._pointer)

    @property
    def pkcs8(self) -> bytes:
        """PrivateKeyInfo, DER, not encrypted."""
        info = self._lib.EVP_PKEY2PKCS8(self._pointer)
        try:
            return _written(self._lib, self._lib.i2d_PKCS8_PRIV_KEY_INFO, info)
        finally:
            self._lib.PKCS8_PRIV_KEY_INFO_free(info)

    def sign(self, message: bytes, identity: bytes) -> bytes:
        """SM2 with SM3 over `message` as `identity`: SEQUENCE{ r, s } (GB/T 32918.2, GB/T 35276)."""
        room, out = c_size_t(_SIGNATURE_ROOM), ctypes.create_string_buffer(_SIGNATURE_ROOM)

        def work(lib: Any, context: int) -> bytes:
            _must(lib, lib.EVP_DigestSignInit(context, None, lib.EVP_sm3(), None, self._pointer) == 1)
            _must(lib, lib.EVP_DigestSign(context, out, byref(room), message, len(message)) == 1)
            return out.raw[: room.value]

        return bytes(self._digesting(identity, work))

    def verify(self, signature: bytes, message: bytes, identity: bytes) -> bool:
        """Whether the DER signature holds."""

        def work(lib: Any, context: int) -> bool:
            _must(lib, lib.EVP_DigestVerifyInit(context, None, lib.EVP_sm3(), None, self._pointer) == 1)
            holds = lib.EVP_DigestVerify(context, signature, len(signature), message, len(message)) == 1
            lib.ERR_clear_error()
            return bool(holds)

        return bool(self._digesting(identity, work))

    def _digesting(self, identity: bytes, work: Callable[[Any, int], Any]) -> Any:
        """Run `work` on a digest context whose key context knows the identity that Z is made of."""
        lib = self._lib
        digest, key = lib.EVP_MD_CTX_new(), lib.EVP_PKEY_CTX_new(self._pointer, None)
        try:
            _must(lib, bool(key) and lib.EVP_PKEY_CTX_set1_id(key, identity, len(identity)) > 0)
            lib.EVP_MD_CTX_set_pkey_ctx(digest, key)
            return work(lib, digest)
        finally:
            lib.EVP_MD_CTX_free(digest)
            lib.EVP_PKEY_CTX_free(key)


def _library() -> Any:
    lib = _loaded()
    if lib is None:
        raise LibcryptoError(f"{unavailable()}。")
    return lib


@cache
def _loaded() -> Any:
    """The first library that has SM2, or None."""
    for name in _candidates():
        try:
            lib = ctypes.CDLL(name)
            for function, (result, *arguments) in _FUNCTIONS.items():
                entry = getattr(lib, function)
                entry.restype, entry.argtypes = result, arguments
        except (OSError, AttributeError):
            continue
        context = lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        if context:
            lib.EVP_PKEY_CTX_free(context)
            return lib
        lib.ERR_clear_error()
    return None


def _candidates() -> list[str]:
    named = os.environ.get("CERTLIB_LIBCRYPTO")
    if named:
        return [named]
    # macOS ends a process that loads its own unversioned libcrypto.
    found = find_library("crypto") if sys.platform.startswith("linux") else None
    return ["libcrypto.so.3", "libcrypto.so.4", *([found] if found else [])]


def _written(lib: Any, write: Any, thing: int | None) -> bytes:
    out = c_void_p(None)
    size = write(thing, byref(out))
    _must(lib, size > 0)
    data = ctypes.string_at(out.value or 0, size)
    lib.CRYPTO_free(out, b"", 0)
    return data


def _must(lib: Any, holds: bool) -> None:
    if not holds:
        raise LibcryptoError(f"SM2 运算失败{_reason(lib)}。")


def _reason(lib: Any) -> str:
    code, text = lib.ERR_get_error(), ctypes.create_string_buffer(256)
    if not code:
        return ""
    lib.ERR_error_string_n(code, text, 256)
    lib.ERR_clear_error()
    return f"（{text.value.decode(errors='replace')}）"
