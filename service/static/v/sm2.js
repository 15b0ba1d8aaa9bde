// SM2 with SM3 (GB/T 32918.2, GB/T 32905) for codes signed with it; loaded only by them. It verifies and holds no secret.
const P = 0xfffffffeffffffffffffffffffffffffffffffff00000000ffffffffffffffffn;
const N = 0xfffffffeffffffffffffffffffffffff7203df6b21c6052b53bbf40939d54123n;
const B = 0x28e9fa9e9d9f5e344d5a9e4bcf6509a7f39789f515ab8f92ddbcbd414d940e93n;
const G = [0x32c4ae2c1f1981195f9904466a39c9948fe30bbff2660be1715a4589334c74c7n, 0xbc3736a2f4f6779c59bdcee36b692153d0a9877cc62a474002df32e52139f0a0n];
const HEAD = '3059301306072a8648ce3d020106082a811ccf5501822d03420004'; // SubjectPublicKeyInfo of an uncompressed point
const IDENTITY = '31323334353637383132333435363738'; // GB/T 35276: the usual one

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
const word = (value) => value.toString(16).padStart(64, '0');
const bytes = (text) => Uint8Array.from(text.match(/../g), (pair) => parseInt(pair, 16));
const mod = (value) => ((value % P) + P) % P;

/** Whether `signature` (r ‖ s) over `message` is that of the key. */
export default function verify(spki, signature, message) {
  const key = hex(spki), sign = hex(signature);
  if (!key.startsWith(HEAD) || key.length !== 182 || sign.length !== 128) return false;
  const [x, y] = [key.slice(54, 118), key.slice(118)].map((part) => BigInt(`0x${part}`));
  const [r, s] = [sign.slice(0, 64), sign.slice(64)].map((part) => BigInt(`0x${part}`)), t = (r + s) % N;
  const onCurve = x < P && y < P && mod(y * y - (x * x * x - 3n * x + B)) === 0n;
  if (!onCurve || r < 1n || s < 1n || r >= N || s >= N || !t) return false;
  const z = sm3(bytes(`0080${IDENTITY}${word(P - 3n)}${word(B)}${word(G[0])}${word(G[1])}${word(x)}${word(y)}`));
  const e = BigInt(`0x${hex(sm3(Uint8Array.of(...z, ...message)))}`);
  const [X, , Z] = sum(s, G, t, [x, y]);
  if (!Z) return false;
  const inverse = power(Z, P - 2n);
  return (e + mod(X * inverse * inverse)) % N === r;
}

/** s·A + t·B in Jacobian coordinates, both numbers read bit by bit together. */
function sum(s, a, t, b) {
  const one = [...a, 1n], other = [...b, 1n], both = add(one, other), bits = [s, t].map((value) => value.toString(2).padStart(256, '0'));
  let point = [1n, 1n, 0n];
  for (let at = 0; at < 256; at += 1) {
    point = double(point);
    const first = bits[0][at] === '1', second = bits[1][at] === '1';
    if (first || second) point = add(point, first && second ? both : first ? one : other);
  }
  return point;
}

function double([x, y, z]) {
  if (!z) return [x, y, z];
  const yy = mod(y * y), zz = mod(z * z), q = mod(4n * x * yy), m = mod(3n * (x - zz) * (x + zz)), u = mod(m * m - 2n * q);
  return [u, mod(m * (q - u) - 8n * yy * yy), mod(2n * y * z)];
}

function add(a, b) {
  const [x, y, z] = a, [u, v, w] = b;
  if (!z) return b;
  if (!w) return a;
  const zz = mod(z * z), ww = mod(w * w), p = mod(x * ww), h = mod(u * zz - p), q = mod(y * ww * w), k = mod(v * zz * z - q);
  if (!h) return k ? [1n, 1n, 0n] : double(a);
  const hh = mod(h * h), hhh = mod(h * hh), n = mod(p * hh), X = mod(k * k - hhh - 2n * n);
  return [X, mod(k * (n - X) - q * hhh), mod(z * w * h)];
}

function power(base, exponent) {
  let result = 1n;
  for (const bit of exponent.toString(2)) result = mod(result * result * (bit === '1' ? base : 1n));
  return result;
}

const turn = (value, by) => (value << by % 32) | (value >>> (32 - (by % 32)) % 32);

/** The SM3 digest of `data`. */
export function sm3(data) {
  const padded = new Uint8Array((((data.length + 8) >> 6) + 1) << 6), view = new DataView(padded.buffer);
  padded.set(data);
  padded[data.length] = 0x80;
  view.setUint32(padded.length - 4, data.length * 8);
  let state = Uint32Array.of(0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e);
  for (let at = 0; at < padded.length; at += 64) state = compress(state, view, at);
  const out = new DataView(new ArrayBuffer(32));
  state.forEach((value, index) => out.setUint32(4 * index, value));
  return new Uint8Array(out.buffer);
}

function compress(state, view, at) {
  const w = new Uint32Array(68);
  for (let j = 0; j < 16; j += 1) w[j] = view.getUint32(at + 4 * j);
  for (let j = 16; j < 68; j += 1) {
    const x = w[j - 16] ^ w[j - 9] ^ turn(w[j - 3], 15);
    w[j] = x ^ turn(x, 15) ^ turn(x, 23) ^ turn(w[j - 13], 7) ^ w[j - 6];
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let j = 0; j < 64; j += 1) {
    const early = j < 16, s1 = turn((turn(a, 12) + e + turn(early ? 0x79cc4519 : 0x7a879d8a, j)) | 0, 7), s2 = s1 ^ turn(a, 12);
    const t1 = ((early ? a ^ b ^ c : (a & b) | (a & c) | (b & c)) + d + s2 + (w[j] ^ w[j + 4])) | 0;
    const t2 = ((early ? e ^ f ^ g : (e & f) | (~e & g)) + h + s1 + w[j]) | 0;
    [d, c, b, a] = [c, turn(b, 9), a, t1];
    [h, g, f, e] = [g, turn(f, 19), e, t2 ^ turn(t2, 9) ^ turn(t2, 17)];
  }
  return Uint32Array.from([a, b, c, d, e, f, g, h], (value, index) => value ^ state[index]);
}
