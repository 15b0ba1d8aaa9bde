// Decompression (RFC 1950, 1951) for browsers without DecompressionStream; loaded only by them.
const LENGTH = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const BACK = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
const fixed = () => Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8));

/** The bytes that `data` (zlib) stands for, `size` at most. Throws when it is no such thing. */
export default function inflate(data, size) {
  const out = new Uint8Array(size);
  let at = 2, bit = 0, written = 0; // two bytes of zlib header
  if ((data[0] & 15) !== 8 || ((data[0] << 8) | data[1]) % 31 || data[1] & 32) throw new Error('zlib');
  const bits = (count) => {
    let value = 0;
    for (let taken = 0; taken < count; taken += 1) {
      if (at >= data.length) throw new Error('end');
      value |= ((data[at] >> bit) & 1) << taken;
      if (bit === 7) at += 1;
      bit = (bit + 1) & 7;
    }
    return value;
  };
  const put = (byte) => {
    if (written >= size) throw new Error('size');
    out[written++] = byte;
  };
  const symbol = ({ counts, symbols }) => {
    for (let code = 0, first = 0, index = 0, length = 1; length < 16; length += 1) {
      code |= bits(1);
      const count = counts[length];
      if (code - first < count) return symbols[index + code - first];
      index += count;
      first = (first + count) << 1;
      code <<= 1;
    }
    throw new Error('code');
  };
  const stored = () => {
    if (bit) at += 1;
    bit = 0;
    const count = data[at] | (data[at + 1] << 8);
    at += 4;
    if (at + count > data.length) throw new Error('end');
    for (let left = count; left > 0; left -= 1, at += 1) put(data[at]);
  };
  const tables = () => {
    const literals = bits(5) + 257, backs = bits(5) + 1, count = bits(4) + 4, lengths = Array(19).fill(0);
    for (let index = 0; index < count; index += 1) lengths[ORDER[index]] = bits(3);
    const code = table(lengths), all = [];
    while (all.length < literals + backs) {
      const value = symbol(code);
      if (value < 16) all.push(value);
      else for (let last = value === 16 ? all[all.length - 1] : 0, left = value === 18 ? bits(7) + 11 : bits(value === 16 ? 2 : 3) + 3; left > 0; left -= 1) all.push(last);
    }
    return [table(all.slice(0, literals)), table(all.slice(literals, literals + backs))];
  };
  const compressed = ([literal, back]) => {
    for (;;) {
      const value = symbol(literal);
      if (value === 256) return;
      if (value < 256) put(value);
      else {
        const length = LENGTH[value - 257] + bits(LENGTH_BITS[value - 257]), code = symbol(back);
        const distance = BACK[code] + bits(code < 4 ? 0 : (code >> 1) - 1);
        if (!(distance <= written)) throw new Error('distance');
        for (let left = length; left > 0; left -= 1) put(out[written - distance]);
      }
    }
  };
  for (let last = 0; !last; ) {
    last = bits(1);
    const kind = bits(2);
    if (kind === 0) stored();
    else if (kind === 1) compressed([table(fixed()), table(Array(30).fill(5))]);
    else if (kind === 2) compressed(tables());
    else throw new Error('block');
  }
  return out.subarray(0, written);
}

/** A canonical Huffman code from the lengths of its symbols. */
function table(lengths) {
  const counts = Array(16).fill(0), symbols = [];
  for (const length of lengths) counts[length] += 1;
  for (let length = 1; length < 16; length += 1) lengths.forEach((one, symbol) => one === length && symbols.push(symbol));
  counts[0] = 0;
  return { counts, symbols };
}
