// Reading a code from a photo or the camera; loaded when first wanted. The picture never leaves the device.
import { codesIn } from '/v/vendor/qr.js';

const SIZES = [1600, 3200]; // pixels of the longer side: a code that fills a tenth of the picture, and a smaller one
const PATIENT = { effort: Infinity, timeLimit: 1500 }, QUICK = {};
const told = (chinese, english) => Object.assign(new Error(english), { told: [chinese, english] });

/** The digits of our code in a photo. Throws an error that tells the reader what to do. */
export async function fromPhoto(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw told('这个文件不是可以识别的照片。', 'This file is not a picture that can be read.');
  }
  for (const size of SIZES) {
    const image = pixels(picture, picture.width, picture.height, size);
    for (const look of [red, all, sharp]) {
      const found = ours(look(image), PATIENT);
      if (found.length > 1) throw told('照片中有不止一份证照的二维码，请一次只拍一份。', 'There are codes of several certificates in this photo: take one at a time.');
      if (found.length) return found[0];
    }
    if (Math.max(picture.width, picture.height) <= size) break;
  }
  throw told('照片中没有找到证照二维码：请拍清楚、拍完整，一次只拍一份。', 'No certificate code in this photo: take one certificate, sharp and whole.');
}

/** The digits of the first code of ours that the camera sees. */
export async function fromCamera(video, frame) {
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', width: { ideal: 1920 } } });
  } catch {
    throw told('无法打开相机：请允许使用相机，或从照片识别。', 'The camera cannot be opened: allow it, or read from a photo.');
  }
  frame.hidden = false;
  video.srcObject = stream;
  try {
    await video.play();
    for (const end = Date.now() + 60000; Date.now() < end; ) {
      const image = pixels(video, video.videoWidth, video.videoHeight, SIZES[0]);
      const [code] = [...ours(red(image), QUICK), ...ours(image, QUICK)];
      if (code) return code;
      await new Promise((next) => setTimeout(next, 120));
    }
    throw told('一分钟内没有识别到二维码，请改用照片。', 'No code was seen within a minute; use a photo.');
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    frame.hidden = true;
  }
}

function pixels(source, width, height, size) {
  const scale = Math.min(1, size / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, width * scale);
  canvas.height = Math.max(1, height * scale);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

const hosts = new Map();

/** The host that stood in a code that was read, for a warning: to whom its digits are shown, it decides nothing. */
export const hostOf = (code) => hosts.get(code);

/** The digits of every code of ours; the host in a code is never believed, and codes of others are passed over. */
export function ours(image, how) {
  const codes = new Set();
  try {
    for (const text of codesIn(image, how)) {
      const found = /^https?:\/\/([^/]+)\/v#([0-9]{20,4000})$/.exec(text);
      if (found) codes.add(found[2]), hosts.set(found[2], found[1]);
    }
    return [...codes];
  } catch {
    return [];
  }
}

const all = (image) => image;

/** The red channel alone: a red seal over the code is white there. */
export function red({ width, height, data }) {
  const out = new Uint8ClampedArray(data.length);
  for (let at = 0; at < data.length; at += 4) {
    out[at] = out[at + 1] = out[at + 2] = data[at];
    out[at + 3] = 255;
  }
  return { width, height, data: out };
}

/** The red channel at twice the size, its edges raised against their surroundings: for what is out of focus. */
export function sharp({ width, height, data }) {
  const w = 2 * width, h = 2 * height, out = new Uint8ClampedArray(4 * w * h);
  const level = (x, y) => data[4 * (Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x)))];
  for (let y = 0; y < h; y += 1) {
    for (let x = 0; x < w; x += 1) {
      const X = x >> 1, Y = y >> 1, dx = x & 1 ? 1 : -1, dy = y & 1 ? 1 : -1;
      const here = (9 * level(X, Y) + 3 * level(X + dx, Y) + 3 * level(X, Y + dy) + level(X + dx, Y + dy)) / 16;
      const around = (level(X - 2, Y) + level(X + 2, Y) + level(X, Y - 2) + level(X, Y + 2)) / 4;
      const at = 4 * (y * w + x);
      out[at] = out[at + 1] = out[at + 2] = here + 1.5 * (here - around);
      out[at + 3] = 255;
    }
  }
  return { width: w, height: h, data: out };
}
