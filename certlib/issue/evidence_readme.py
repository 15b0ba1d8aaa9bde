"""The README of an evidence pack: what each file is, and the commands of common tools that check it."""

from __future__ import annotations

README = """# 证据包 · evidence pack

{title} {number}（第 {edition:03} 版），制作于 {made}。
What this is: the sealed file, and what proves it. Everything below is checked with common tools only.

| 文件 · file | 内容 · what it is |
|---|---|
| `certificate.pdf` | 签发原件 · the issued file, byte for byte |
| `certificate.cbor`, `certificate.tlog-proof` | 原件的日志条目及证明 · its leaf and proof (C2SP tlog-proof) |
| `seal.p7s`, `content.bin` | 签名及其覆盖的字节 · the signature (CMS, DER) and the bytes it covers |
| `signature.bin`, `timestamp.tst` | 签名值及其时间戳 · the signature value and its RFC 3161 timestamp |
| `chain/` | 证书链 · the signer's X.509 certificate and those above it; `root.pem` is the trust anchor |
| `crl/` | 吊销列表 · revocation lists |
| `authorisation.json` | 用印授权 · the seal authorisation; its SHA-256 stands in the signature |
| `decision.json` | 决定链条 · who accepted, reviewed and approved |
| `edition.json`, `history.json` | 内容与沿革 · the facts with their salts, and every event |
| `journal/` | 日志证明 · the journal's key and checkpoint, each event's leaf and its proof |

## 核验 · check it
```sh
sha256sum -c SHA256SUMS

# the bytes that are signed are those of the file
( head -c {before} certificate.pdf; tail -c +{after_1} certificate.pdf | head -c {length} ) | cmp - content.bin

# the seal: signature, chain to the root, as of the moment of sealing
openssl cms -verify -binary -inform DER -in seal.p7s -content content.bin \\
    -CAfile chain/root.pem -attime {sealed_at} -out /dev/null

# no certificate of the chain was revoked when this pack was made
cat crl/*.pem > crl.pem
openssl verify -CAfile chain/root.pem -untrusted chain/issuing.pem \\
    -crl_check_all -CRLfile crl.pem -attime {made_at} chain/signer.pem

# the time: a timestamp over the signature value
openssl ts -verify -token_in -in timestamp.tst -data signature.bin \\
    -CAfile chain/root.pem -untrusted chain/tsa.pem -attime {sealed_at}

# the authorisation is the one named in the signature (attribute {attribute})
sha256sum authorisation.json
openssl cms -cmsout -print -inform DER -in seal.p7s | grep -A6 '{attribute}'

# the leaf names the file: its SHA-256 stands in it
od -An -v -tx1 certificate.cbor | tr -d ' \\n' | grep -c "$(sha256sum certificate.pdf | cut -d ' ' -f 1)"

# another reader of PDF signatures
pdfsig certificate.pdf
```
用印序号 · use number of the seal: {counter}. 授权摘要 · digest of the authorisation: `{authorisation}`.
日志原点 · the journal's origin: `{origin}`; its key: `{verifier}`.

## 日志 · the journal
Each leaf is hashed up to the root (RFC 6962, 2.1), which the journal's key has signed; compare `journal/key.pem` with
the key above and with the one published. 每行末尾应为 `ok` · each line ends in `ok`.

```sh
{journal}```
"""

JOURNAL = r"""for proof in certificate.tlog-proof journal/*.tlog-proof; do
    {{ printf '\000'; cat "${{proof%.tlog-proof}}.cbor"; }} | openssl dgst -sha256 -binary > node
    sed '1,/^$/d' "$proof" > head.txt # the signed checkpoint: origin, size, root; an empty line; signatures
    at=$(sed -n 's/^index //p' "$proof")
    last=$(( $(sed -n 2p head.txt) - 1 ))
    for side in $(sed -n '/^index /,/^$/p' "$proof" | sed '1d;$d'); do
        printf %s "$side" | openssl base64 -d -A > side
        if [ $(( at % 2 )) = 1 ] || [ "$at" = "$last" ]; then
            {{ printf '\001'; cat side node; }} | openssl dgst -sha256 -binary > above
            while [ $(( at % 2 )) = 0 ] && [ "$at" != 0 ]; do at=$(( at / 2 )) last=$(( last / 2 )); done
        else
            {{ printf '\001'; cat node side; }} | openssl dgst -sha256 -binary > above
        fi
        mv above node
        at=$(( at / 2 )) last=$(( last / 2 ))
    done
    [ "$last" = 0 ] && [ "$(openssl base64 -A -in node)" = "$(sed -n 3p head.txt)" ] ||
        {{ echo "$proof: WRONG"; continue; }}
    sed '/^$/,$d' head.txt > note.txt
    sed -n 's|^— {origin} ||p' head.txt | head -n 1 | openssl base64 -d -A | tail -c 64 > note.sig
    openssl pkeyutl -verify -pubin -inkey journal/key.pem -rawin -in note.txt -sigfile note.sig > /dev/null &&
        echo "$proof: ok" || echo "$proof: WRONG"
done
"""
