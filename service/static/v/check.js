// Verification of a signed code, on this device: structure, signature, trust list, status list (docs/payload.md).
// Nothing here touches the page; what cannot be confirmed is thrown as Refused or comes back as a verdict.

/** A code that is not confirmed: `verdict` in the library's words, `why` for the sentence beneath. */
export class Refused extends Error {
  constructor(verdict, why) {
    super(why ?? verdict);
    this.verdict = verdict;
    this.why = why;
  }
}

const BYTES_OF = { 3: 1, 5: 2, 8: 3, 10: 4, 13: 5, 15: 6, 17: 7 }; // digits of a block: bytes
const ALGORITHMS = {
  '-7': [{ name: 'ECDSA', namedCurve: 'P-256' }, { name: 'ECDSA', hash: 'SHA-256' }],
  '-8': [{ name: 'Ed25519' }, { name: 'Ed25519' }],
  '-65537': [], // SM2 with SM3, which no browser has: our own module
  ES256: '-7',
  EdDSA: '-8',
};
const SM2 = '-65537';
const OF_STATUS = { 0: 'valid', 1: 'revoked', 2: 'suspended', 3: 'superseded', 12: 'paper-lost', 13: 'voided', 14: 'cancelled', 15: 'not-in-force' };
const SHARD = 131072, WIDTHS = [1, 2, 4, 8]; // entries of a list, bits of an entry
const CONTEXT = [132, 106, ...new TextEncoder().encode('Signature1')]; // four items, the first of them this text
const PATIENCE = 10000; // milliseconds for a list
const PRINTABLE = /^(?:[^\p{C}\p{Z}]| )*$/u;
const DAY = 86400, EPOCH = 18262, SHANGHAI = 8 * 3600; // days are counted from 2020-01-01; seconds

/** The verdict on the digits of a code, with the fields to compare and the time of the status data. */
export async function check(code, roots) {
  const { message, payload } = read(code);
  if (!crypto.subtle) throw new Refused('insecure'); // a browser gives it to https and loopback only
  const data = newest(payload.n).catch(() => null); // asked for at once: a shard says nothing about who is checked
  let listed, held, status, trust;
  try {
    listed = await claimed(...TRUST, roots);
    // each turn of a slow telephone's loop counts: the three signatures are worked on side by side, and believed in order
    held = early(() => holds(message, listed.values.keys[message.kid]));
    status = data.then((found) => found && statusOf(found, payload.n, listed)).catch(() => null);
    trust = await listed.sound;
  } catch (error) {
    throw error instanceof Refused ? error : new Refused('offline');
  }
  const key = trust.keys[message.kid];
  if (!key?.uses.includes('code')) throw new Refused('unknown-issuer');
  if (!(await held)) throw new Refused('signature-invalid');
  const start = (payload.issued + EPOCH) * DAY - SHANGHAI; // may lie before the first day of the key: a sheet printed anew
  // what a leaked key signed the register alone can confirm: it may be asked with the code
  if (unfit(key, start, Infinity)) throw Object.assign(new Refused('signature-invalid', 'unfit'), { code });
  const list = await status;
  return { ...judge(payload, list), code, digest: hex(payload.digest), fields: fields(payload, trust, key) };
}

/** The state of index `n`, valid to the end of day `until` (days since 2020, null without end), by the signed lists. */
export async function stateOf(n, until, roots) {
  const list = await Promise.all([newest(n), claimed(...TRUST, roots)]).then(([data, listed]) => statusOf(data, n, listed)).catch(() => null);
  return judge({ until }, list);
}

function judge({ until }, list) {
  const now = Math.max(Date.now() / 1000, list?.issued ?? 0); // a clock that lags behind signed data is wrong
  const over = until !== null && Math.floor((now + SHANGHAI) / DAY) - EPOCH > until;
  const verdict = (list && now < list.expires && OF_STATUS[list.code]) || 'status-unknown';
  if (!over || (verdict !== 'valid' && verdict !== 'status-unknown')) return { verdict, asOf: list?.issued };
  return { verdict: 'expired', why: verdict === 'valid' ? undefined : 'over', asOf: list?.issued };
}

/** The lines a reader compares, in the order of the paper. */
function fields(payload, trust, key) {
  const { zh, en } = trust.types[payload.type] ?? { zh: `证照种类 ${payload.type}`, en: `type ${payload.type}` };
  const issuer = trust.issuers[payload.issuer] ?? key.issuer;
  const carrier = payload.carrier;
  const carriers = [['电子文件', 'electronic file'], ['正本', 'original']];
  const lines = [
    ['type', [zh, en]],
    ['carrier', carriers[carrier] ?? [`副本 ${carrier - 1}`, `duplicate ${carrier - 1}`]],
    ['number', payload.number],
    ['edition', String(payload.edition).padStart(3, '0')],
    ['holder', payload.name],
    ['issuer', [issuer.zh, issuer.en]],
    ['issued', day(payload.issued)],
    ['until', payload.until === null ? null : day(payload.until)],
  ];
  return lines.filter(([, value]) => value !== '');
}

/** A day as the paper writes it, and in ISO 8601. */
function day(count) {
  const iso = new Date((count + EPOCH) * DAY * 1000).toISOString().slice(0, 10), [year, month, date] = iso.split('-').map(Number);
  return [`${year}年${month}月${date}日`, iso];
}

/** Take a code's digits apart; nothing about the signature is said yet. */
function read(code) {
  if (!/^[0-9]{1,2000}$/.test(code)) throw new Refused('unreadable', 'foreign');
  if (code[0] !== '1') throw new Refused('unreadable', 'unsupported');
  let message, values;
  try {
    message = sign1(bytesOf(code.slice(1)));
  } catch {
    throw new Refused('unreadable');
  }
  if (!Array.isArray(ALGORITHMS[message.alg])) throw new Refused('unreadable', 'unsupported');
  try {
    if (message.headers.size !== 2 || message.kid.length !== 8) throw 0;
    values = cbor(message.payload);
    const [type, number, edition, name, issued, until, digest, n, carrier, issuer] = values;
    const natural = [type, edition, n, carrier, issuer].every((value) => Number.isSafeInteger(value) && value >= 0);
    const days = [issued, until ?? 0].every(Number.isSafeInteger) && hex(digest).length === 32 && values.length === 10;
    const texts = [number, name].every((text) => typeof text === 'string' && PRINTABLE.test(text));
    if (!natural || !days || !texts || !number || number.length > 64 || name.length > 100 || typeof digest === 'string') throw 0;
    return { message, payload: { type, number, edition, name, issued, until, digest, n, carrier, issuer } };
  } catch {
    throw new Refused('unreadable');
  }
}

function bytesOf(digits) {
  const bytes = [];
  for (let at = 0; at < digits.length; at += 17) {
    const block = digits.slice(at, at + 17), count = BYTES_OF[block.length], value = BigInt(block);
    if (!count || value >> BigInt(8 * count)) throw 0;
    for (let shift = 8 * count - 8; shift >= 0; shift -= 8) bytes.push(Number((value >> BigInt(shift)) & 255n));
  }
  return Uint8Array.from(bytes);
}

/** One CBOR value, as far as our formats use it; arrays, maps as Map, strings, integers, true, false, null. */
function cbor(data) {
  let at = 0;
  const take = (count) => {
    if (at + count > data.length) throw 0;
    return data.subarray(at, (at += count));
  };
  const argument = (info) => {
    if (info < 24) return info;
    if (info > 27) throw 0;
    const size = 1 << (info - 24), value = take(size).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    if (value < (size === 1 ? 24n : 1n << BigInt(4 * size))) throw 0; // only the shortest form
    return Number(value);
  };
  const list = (count, read) => Array.from({ length: count }, read);
  const item = (depth) => {
    if (depth > 8) throw 0;
    const [head] = take(1), major = head >> 5, info = head & 31;
    if (major === 7 && info > 19 && info < 23) return [false, true, null][info - 20];
    const size = argument(info);
    if (size > Number.MAX_SAFE_INTEGER || (major > 3 && size > data.length)) throw 0;
    if (major === 0) return size;
    if (major === 1) return -1 - size;
    if (major === 2) return take(size);
    if (major === 3) return new TextDecoder('utf-8', { fatal: true }).decode(take(size));
    if (major === 4) return list(size, () => item(depth + 1));
    if (major !== 5) throw 0; // tags, floats, whatever comes yet
    let last = '';
    return new Map(list(size, () => {
      const from = at, key = item(depth + 1), written = hex(data.subarray(from, at));
      if (written <= last) throw 0; // in order, and none twice
      last = written;
      return [key, item(depth + 1)];
    }));
  };
  const value = item(0);
  if (at !== data.length) throw 0;
  return value;
}

/** A COSE_Sign1 array as its parts; `signed` is what the signature covers (RFC 9052, 4.4). */
function sign1(data) {
  const [prot, plain, payload, signature, ...more] = cbor(data), headers = cbor(prot);
  if (more.length || plain.size !== 0) throw 0; // what no signature covers has one form
  // the context before the same bytes, an empty string where the empty map stands, and no signature with its two bytes of length
  const signed = Uint8Array.from([...CONTEXT, ...data.subarray(1, -2 - signature.length)]);
  signed[11 + prot.byteOffset - data.byteOffset + prot.length] = 0x40;
  return { alg: String(headers.get(1)), kid: hex(headers.get(4) ?? []), headers, payload, signature, signed };
}

export const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const bytes64 = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (character) => character.charCodeAt(0));
const json64 = (text) => JSON.parse(new TextDecoder().decode(bytes64(text)));

async function verify(alg, spki, signature, signed) {
  if (alg === SM2) return (await import('./sm2.js')).default(spki, signature, signed);
  const [kind, use] = ALGORITHMS[alg];
  const key = await crypto.subtle.importKey('spki', spki, kind, false, ['verify']);
  return crypto.subtle.verify(use, key, signature, signed);
}

/** Whether the message's signature is that of the key, by the algorithm that both name. */
const holds = async (message, key) => message.alg === String(key.alg) && verify(message.alg, bytes64(key.spki), message.signature, message.signed);

/** Whether a key was not in use between two moments, or is no longer to be believed. */
function unfit({ state, since, until }, start, end) {
  const seconds = (text) => Date.parse(text) / 1000;
  return state === 'compromised' || (since && end <= seconds(since)) || (until && start > seconds(until));
}

/** A list, anew; a network that neither answers nor fails is none. */
function get(address) {
  const asked = fetch(address, { cache: 'no-cache', credentials: 'omit' }).then((response) => {
    if (!response.ok) throw new Error(address);
    return response.arrayBuffer();
  });
  return Promise.race([asked, new Promise((_, late) => setTimeout(late, PATIENCE, new Error(address)))]);
}

/** Signed JSON at once as `values`, which nobody may believe before `sound` has given them too. */
async function claimed(address, typ, roots) {
  const { payload, signatures } = JSON.parse(new TextDecoder().decode(await get(address))), values = JSON.parse(payload);
  return { values, sound: early(() => believed(values, payload, signatures, typ, roots)) };
}

export const signedJson = async (...given) => (await claimed(...given)).sound;

/** What `start` promises, begun before anyone waits for it: until then a failure is nobody's. */
function early(start) {
  const promise = (async () => start())();
  promise.catch(() => {});
  return promise;
}

/** RFC 7515, 7797: one good signature of a pinned key suffices; a bad one of a pinned key spoils it. */
async function believed(values, payload, signatures, typ, roots) {
  let good = 0;
  for (const { protected: header, signature } of signatures) {
    const { alg, b64, kid, typ: kind } = json64(header);
    if (!roots[kid]) continue; // a key of other readers
    try {
      const holds = await verify(ALGORITHMS[alg], bytes64(roots[kid]), bytes64(signature), new TextEncoder().encode(`${header}.${payload}`));
      if (b64 !== false || kind !== typ || !holds) throw new Refused('unknown-issuer', 'untrusted');
      good += 1;
    } catch (error) {
      if (error instanceof Refused) throw error; // else this browser does not know the algorithm: another must be good
    }
  }
  if (!good || values.version !== 1 || !forward(typ, values.seq)) throw new Refused('unknown-issuer', 'untrusted');
  return values;
}

const TRUST = ['/public/trust', 'certlib-trust+json'];

const newest = (n) => get(`/public/status/${Math.floor(n / SHARD)}`);

/** What a signed status list says of index `n`; throws when it may not be believed, null when it cannot say. */
async function statusOf(data, n, { values: trust, sound }) {
  const token = new Uint8Array(data), message = sign1(token.subarray(1)), key = trust.keys[message.kid], shard = Math.floor(n / SHARD);
  const claims = cbor(message.payload), entry = claims.get(65533);
  const bits = entry.get('bits'), size = SHARD * bits / 8, lists = early(() => WIDTHS.includes(bits) && inflate(entry.get('lst'), size));
  if (token[0] !== 0xd2 || message.headers.get(16) !== 'application/statuslist+cwt' || !key?.uses.includes('status') || !(await holds(message, key)) || !(await sound)) throw 0;
  if (unfit(key, claims.get(6), claims.get(6) + 1)) throw 0;
  if (!WIDTHS.includes(bits) || !claims.get(2).endsWith(`/${shard}`)) throw 0;
  if (!forward(`status/${shard}`, claims.get(-65537))) throw 0;
  const packed = await lists;
  if (packed.length !== size || n > claims.get(-65538)) return null;
  const at = (n % SHARD) * bits;
  return { code: (packed[at >> 3] >> (at & 7)) & ((1 << bits) - 1), issued: claims.get(6), expires: claims.get(4) };
}

/** What `data` (zlib) stands for. Throws when it is no such thing, or beyond `most` bytes. */
export async function inflate(data, most) {
  if (!self.DecompressionStream) return (await import('./inflate.js')).default(data, most);
  const { writable, readable } = new DecompressionStream('deflate'), writer = writable.getWriter(), reader = readable.getReader();
  writer.write(data).then(() => writer.close()).catch(() => {}); // what is wrong with it, the reader hears
  const out = new Uint8Array(most);
  for (let size = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return out.subarray(0, size);
    out.set(value, size); // a RangeError beyond the end
    size += value.length;
  }
}

/** Whether `value` is at least the highest seen under this name here: lists only go forward, a lower one is old. */
function forward(name, value) {
  try {
    const seen = Number(localStorage[name] ?? -1);
    if (value < seen) return false;
    localStorage[name] = value;
  } catch {} // a private window remembers nothing
  return true;
}
