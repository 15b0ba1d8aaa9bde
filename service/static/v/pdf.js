// The seal of a PDF, checked on this device: which bytes it covers, whose it is, whether they are as they were sealed.
// No PDF is parsed. A signature that covers the whole file but its own hole covers whatever a viewer may make of it;
// what was added behind a seal cannot be judged here and is said to be so. Chain and timestamp are for `certctl verify`.
import { hex, inflate, signedJson } from './check.js';

const OID = { data: '2a864886f70d010701', signed: '2a864886f70d010702', digest: '2a864886f70d010904', sha256: '608648016503040201', sm3: '2a811ccf55018311', rsa: '2a864886f70d010101', ec: '2a8648ce3d0201', p256: '2a8648ce3d030107', sm2: '2a811ccf5501822d' };
const RANGE = /\/ByteRange\s*\[\s*(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s+(\d{1,10})\s*\]/g;
const MOST = 40; // signatures looked at

/** What can be said of a PDF here: `verdict` in the library's words, the seal's entry, the attached facts. */
export async function examine(data, roots) {
  const text = new TextDecoder('latin1').decode(data);
  if (!text.startsWith('%PDF-')) return { verdict: 'unreadable' };
  const ranges = [...text.matchAll(RANGE)].slice(0, MOST).map((match) => match.slice(1).map(Number));
  if (!ranges.length) return { verdict: 'unsealed' };
  const { seals } = await signedJson('/public/seals', 'certlib-seals+json', roots);
  const found = [];
  for (const range of ranges) found.push(await one(data, text, range, seals).catch(() => ({ verdict: 'signature-invalid' })));
  const whole = found.find((seal) => seal.verdict === 'sealed' && seal.end === data.length);
  if (whole) return { ...whole, facts: await factsIn(data, text).catch(() => null) };
  return found.find((seal) => seal.verdict === 'sealed') ? { ...found.find((seal) => seal.verdict === 'sealed'), verdict: 'added' } : found[0];
}

/** One signature: the span guard first, then the message in its hole (RFC 5652 §5.4, §5.6). */
async function one(data, text, [start, first, second, length], seals) {
  const end = second + length, hole = text.slice(first, second);
  if (start || !first || first >= second || end > data.length || !/^<([0-9A-Fa-f]{2})+>$/.test(hole)) return { verdict: 'altered' };
  const message = bytes16(hole.slice(1, -1)), content = der(message);
  if (message.subarray(content.to).some(Boolean)) return { verdict: 'altered' };
  const [kind, wrapped] = parts(content);
  if (hex(kind.value) !== OID.signed) throw 0;
  const signed = parts(parts(wrapped)[0]), infos = parts(signed[signed.length - 1]);
  if (infos.length !== 1 || hex(parts(signed[2])[0].value) !== OID.data || signed[3].tag !== 0xa0) throw 0;
  const info = parts(infos[0]), attributes = info[3], digests = hex(parts(info[2])[0].value);
  if (attributes.tag !== 0xa0) throw 0; // without signed attributes a signature can be taken for that of other bytes
  const stated = parts(attributes).map(parts).find(([name]) => hex(name.value) === OID.digest);
  const covered = new Uint8Array(first + length);
  covered.set(data.subarray(0, first));
  covered.set(data.subarray(second, end), first);
  const entry = await owner(parts(signed[3]), seals);
  if (!entry) return { verdict: 'unknown-issuer' };
  const sealed = Uint8Array.of(0x31, ...attributes.whole.subarray(1)); // §5.4: signed as a SET
  if (!(await holds(entry.spki, info[5].value, sealed, digests))) return { verdict: 'signature-invalid' };
  if (hex(parts(stated[1])[0].value) !== hex(await digest(covered, digests))) return { verdict: 'altered' };
  return { verdict: 'sealed', seal: entry, end };
}

/** The entry of the first certificate that the seal list names, with its key. */
async function owner(certificates, seals) {
  for (const certificate of certificates) {
    const entry = seals[hex(await digest(certificate.whole, OID.sha256))];
    // RFC 5280 §4.1: the key is the sixth field after the version, which certificates with extensions state
    if (entry) return { ...entry, spki: parts(parts(certificate)[0])[6] };
  }
  return null;
}

async function holds(spki, signature, message, digests) {
  const [kind, curve] = parts(parts(spki)[0]).map(({ value }) => hex(value));
  if (kind === OID.ec && curve === OID.sm2) return digests === OID.sm3 && (await import('./sm2.js')).default(spki.whole, raw(signature), message);
  if (digests !== OID.sha256) return false;
  const rsa = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }, ec = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const use = kind === OID.rsa ? rsa : kind === OID.ec && curve === OID.p256 ? ec : null;
  if (!use) return false;
  const key = await crypto.subtle.importKey('spki', spki.whole, use, false, ['verify']);
  return crypto.subtle.verify(use, key, use === ec ? raw(signature) : signature, message);
}

async function digest(data, algorithm) {
  if (algorithm === OID.sm3) return (await import('./sm2.js')).sm3(data);
  if (algorithm !== OID.sha256) throw 0;
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data));
}

/** SEQUENCE{ r, s } as r ‖ s. */
function raw(signature) {
  const out = new Uint8Array(64);
  parts(der(signature)).forEach(({ value }, index) => {
    const number = value.length > 32 ? value.subarray(value.length - 32) : value;
    out.set(number, 32 * index + 32 - number.length);
  });
  return out;
}

/** One DER element at `at`: its tag, the whole of it, its value, where it ends. */
function der(data, at = 0) {
  const tag = data[at];
  let length = data[at + 1], from = at + 2;
  if (length > 0x84 || length === 0x80 || (tag & 31) === 31) throw 0;
  if (length > 0x80) {
    const count = length - 0x80;
    length = data.subarray(from, from + count).reduce((sum, byte) => sum * 256 + byte, 0);
    from += count;
  }
  const to = from + length;
  if (!(to <= data.length)) throw 0;
  return { tag, whole: data.subarray(at, to), value: data.subarray(from, to), to };
}

function parts({ value }) {
  const found = [];
  for (let at = 0; at < value.length; at = found[found.length - 1].to) found.push(der(value, at));
  return found;
}

const bytes16 = (text) => Uint8Array.from({ length: text.length / 2 }, (_, at) => parseInt(text.substr(2 * at, 2), 16));

/** The facts attached to a file whose every byte is sealed: its one embedded file. */
async function factsIn(data, text) {
  const found = /<<\/Length (\d{1,7})\/Type\/EmbeddedFile(\/Filter\/FlateDecode)?[^>]*>>>>\nstream\n/.exec(text);
  if (!found) return null;
  const from = found.index + found[0].length, body = data.subarray(from, from + Number(found[1]));
  return JSON.parse(new TextDecoder().decode(found[2] ? await inflate(body, 1 << 20) : body));
}

/** The sixteen bytes that stand in the code for the printed facts: SHA-256(salt ‖ canonical text), hexadecimal. */
export async function factsDigest({ salt, facts }) {
  const sorted = Object.fromEntries(Object.keys(facts).sort().map((key) => [key, facts[key]]));
  const text = new TextEncoder().encode(JSON.stringify(sorted));
  return hex(await digest(Uint8Array.of(...bytes16(salt), ...text), OID.sha256)).slice(0, 32);
}
