// Checking an electronic certificate: its fingerprint first, the file itself only when the reader agrees.
import { post } from './ask.js';

const LARGEST = 20e6; // bytes
const ELSEWHERE = { address: '/public/files' };
const SAY = {
  large: ['文件超过 20 MB，不是本市签发的电子证照。', 'The file is larger than 20 MB: not an electronic certificate of this city.'],
  other: ['指纹不在签发登记中：这不是签发原件。可能是另存、打印或改动过的副本。', 'Its fingerprint is not in the register: this is not the issued file, but saved again, printed or changed.'],
  consent: ['上传全文，核验其中的电子印章', 'Send the whole file to have its seal checked'],
  wait: ['正在核验…', 'Checking…'],
  mark: ['文件指纹（SHA-256）', 'Fingerprint (SHA-256)'],
};

/** Say in `where` whether this is an issued file and what its certificate's state is. */
export async function inspect(file, where, { answered, both, make }) {
  if (file.size > LARGEST) throw Object.assign(new Error('large'), { told: SAY.large });
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', await file.arrayBuffer()));
  const sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const found = await post({ sha256 }, ELSEWHERE);
  if (found.issued) {
    answered(where, found);
  } else {
    const button = make('button', both(SAY.consent), 'main');
    button.type = 'button';
    button.onclick = () => whole(file, where, { answered, both, make });
    where.replaceChildren(make('p', both(SAY.other)), button);
  }
  where.append(make('p', `${both(SAY.mark)} ${sha256}`, 'note'));
}

async function whole(file, where, { answered, both, make }) {
  where.replaceChildren(make('p', both(SAY.wait)));
  try {
    answered(where, await post(file, { ...ELSEWHERE, media: 'application/pdf' }));
  } catch (error) {
    where.replaceChildren(make('p', both(error.told ?? ['核验未成功，请稍后重试。', 'The check failed; try again later.'])));
  }
}
