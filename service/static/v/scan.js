// Reading a code from a photo or the camera; loaded when first wanted. The picture never leaves the device.
import { decodeQR } from '/v/vendor/qr.js';

const LONGEST = 1600; // pixels of the longer side: enough for a code that fills a tenth of the picture
const told = (chinese, english) => Object.assign(new Error(english), { told: [chinese, english] });

/** The digits of our code in a photo. Throws an error that tells the reader what to do. */
export async function fromPhoto(file) {
  let picture;
  try {
    picture = await createImageBitmap(file);
  } catch {
    throw told('这个文件不是可以识别的照片。', 'This file is not a picture that can be read.');
  }
  const code = digitsIn(pixels(picture, picture.width, picture.height));
  if (!code) throw told('照片中没有找到证照二维码：请拍清楚、拍完整，一次只拍一份。', 'No certificate code in this photo: take one certificate, sharp and whole.');
  return code;
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
      const code = digitsIn(pixels(video, video.videoWidth, video.videoHeight));
      if (code) return code;
      await new Promise((next) => setTimeout(next, 120));
    }
    throw told('一分钟内没有识别到二维码，请改用照片。', 'No code was seen within a minute; use a photo.');
  } finally {
    stream.getTracks().forEach((track) => track.stop());
    frame.hidden = true;
  }
}

function pixels(source, width, height) {
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, width * scale);
  canvas.height = Math.max(1, height * scale);
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

/** The grey picture first, then its red channel alone: a red seal over the code is white there. */
function digitsIn(image) {
  return read(image) ?? read(redOnly(image)) ?? null;
}

function read(image) {
  try {
    const text = decodeQR(image);
    // the host in a code is never believed: only the signed digits count
    return /#([0-9]{20,4000})$/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

function redOnly({ width, height, data }) {
  const red = new Uint8ClampedArray(data.length);
  for (let at = 0; at < data.length; at += 4) {
    red[at] = red[at + 1] = red[at + 2] = data[at];
    red[at + 3] = 255;
  }
  return { width, height, data: red };
}
