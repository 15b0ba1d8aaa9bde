// Makes qr.js from the npm package `qr` 0.7.0: only what reading a still picture needs, so that a telephone loads less.
//   npm install qr@0.7.0 esbuild && node build.mjs
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';

const REPLACED = [
  [/^const validateOpts = \(opts\) => \{[\s\S]*?^\};/m, 'const validateOpts = () => {};'],
  [/^const validateImage = \([^)]*\) => \{[\s\S]*?^\};/m, 'const validateImage = () => RGBA;'],
  [/^ {4}(clean|processImage|async decodeAsync)\([\s\S]*?\) \{[\s\S]*?^ {4}\}\n/gm, ''],
  [/^ {4}report\(([^)]*)\) \{[\s\S]*?^ {4}\}\n/m, '    report() {}\n'],
  [/\*(scan|walk)\(cooperative(.*?)\) \{/g, '*$1(_$2) { const cooperative = false;'],
  [/\b(ctx\.|this\.)?opts\.(pointsOnDetect|imageOnBitmap|imageOnResult|textDecoder)\b/g, 'undefined'],
  [/(const ECI_ENCODINGS = )\{[\s\S]*?\}/, "$1{ 26: 'utf-8' }"],
];
const ENTRY = `import { _QRScanner } from 'qr/decode.js';
export const codesIn = (image, opts) => {
  const scanner = new _QRScanner({ ...opts, maxSize: { height: image.height, width: image.width } });
  scanner.addImage(image);
  return scanner.decode(true).filter((text) => typeof text === 'string');
};`;
const slim = {
  name: 'slim',
  setup({ onLoad }) {
    onLoad({ filter: /qr\/decode\.js$/ }, async ({ path }) => {
      let contents = await readFile(path, 'utf8');
      for (const [from, to] of REPLACED) {
        if (contents.search(from) < 0) throw new Error(`not found: ${from}`);
        contents = contents.replace(from, to);
      }
      return { contents };
    });
  },
};
await build({
  stdin: { contents: ENTRY, resolveDir: process.cwd() },
  bundle: true, format: 'esm', minify: true, target: 'es2022', legalComments: 'inline', plugins: [slim], outfile: 'qr.js',
  banner: { js: '/*! qr 0.7.0, Copyright (c) 2023 Paul Miller (paulmillr.com), MIT OR Apache-2.0; shortened, see build.mjs */' },
});
