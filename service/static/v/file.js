// Checking an electronic certificate: seal and bytes on this device; the register only by the reader's consent.
import { post } from './ask.js';
import { stateOf } from './check.js';
import { examine, factsDigest } from './pdf.js';

const LARGEST = 20e6; // bytes
const DAY = 86400e3, EPOCH = 18262; // milliseconds; days from 1970 to 2020
const ELSEWHERE = { address: '/public/files' };
const SAY = {
  large: ['文件超过 20 MB，不是本市签发的电子证照。', 'The file is larger than 20 MB: not an electronic certificate of this city.'],
  sealed: ['印章：', 'Seal: '],
  unaltered: ['文件自用印后未被改动。', 'The file is as it was sealed.'],
  added: ['印章真实，但其后有追加内容（如补充的时间戳），本机不能判断，须与登记核对', 'The seal is genuine, but something was added after it (such as a further timestamp): compare with the register'],
  expired: ['印章证书已到期或被吊销，签署时间须与登记核对', "The seal's certificate has ended or was revoked: compare with the register"],
  local: ['以上在本机核验，文件没有离开您的设备。', 'Checked on this device; the file has not left it.'],
  same: ['与刚才扫描的二维码一致。', 'It agrees with the code scanned before.'],
  differs: ['与刚才扫描的二维码不是同一份内容！', 'Its content is not that of the code scanned before!'],
  mark: ['文件指纹（SHA-256）', 'Fingerprint (SHA-256)'],
  ask: ['发送文件指纹，与登记核对', 'Send the fingerprint to compare with the register'],
  other: ['指纹不在签发登记中：这不是签发原件。可能是另存、打印或改动过的副本。', 'Its fingerprint is not in the register: this is not the issued file, but saved again, printed or changed.'],
  consent: ['上传全文，由登记机关核验', 'Send the whole file to have it checked'],
  wait: ['正在核验…', 'Checking…'],
  failed: ['核验未成功，请稍后重试。', 'The check failed; try again later.'],
  number: ['编号', 'Number'], holder: ['持证主体', 'Holder'], issuer: ['签发机关', 'Issuer'], title: ['名称', 'Title'],
  issued_on: ['签发日期', 'Issued on'], valid_until: ['有效期至', 'Valid until'], asOf: ['状态数据时间', 'Status as of'],
};

/** Say in `where` what the file itself shows, and offer to compare it with the register. */
export async function inspect(file, where, page) {
  if (file.size > LARGEST) throw Object.assign(new Error('large'), { told: SAY.large });
  const data = new Uint8Array(await file.arrayBuffer()), found = await examine(data, page.roots);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data)), sha256 = [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const box = await told(found, page), asked = page.make('div', '');
  asked.setAttribute('role', 'status');
  where.replaceChildren(box, page.make('p', SAY.local, 'note'), page.make('p', () => `${page.both(SAY.mark)} ${sha256}`, 'note'), asked);
  button(asked, SAY.ask, page, () => compare(sha256, file, asked, page));
}

/** The box of what was found here: verdict, seal, facts. */
async function told({ verdict, seal, facts }, { make, both, saying, moment, now, roots }) {
  const current = seal && !seal.revoked && Date.now() < Date.parse(seal.until);
  const state = verdict === 'sealed' && current ? await stateHere(facts, roots) : { verdict };
  const odd = verdict === 'added' ? SAY.added : seal && !current ? SAY.expired : null;
  const box = make('div', '', `found ${odd ? 'amber' : saying(state.verdict).tone}`), list = make('dl', '');
  box.append(make('strong', odd ?? (() => saying(state.verdict).words)));
  if (seal) box.append(make('p', () => both(SAY.sealed) + both([seal.zh, seal.en])));
  if (verdict === 'sealed') box.append(make('p', SAY.unaltered));
  const scanned = now().digest, same = scanned && facts && (await factsDigest(facts)) === scanned;
  if (scanned && facts) box.append(make(same ? 'p' : 'strong', same ? SAY.same : SAY.differs));
  for (const [key, value] of lines(facts)) list.append(make('dt', SAY[key]), make('dd', value));
  if (state.asOf) list.append(make('dt', SAY.asOf), make('dd', moment(state.asOf)));
  box.append(list);
  return box;
}

/** The state by the status list: it tells the shard to nobody but the lists' server, and the file to nobody. */
async function stateHere(facts, roots) {
  if (!Number.isSafeInteger(facts?.n)) return { verdict: 'status-unknown' };
  const until = facts.valid_until ? Date.parse(facts.valid_until) / DAY - EPOCH : null;
  if (facts.valid_from && Date.now() < Date.parse(`${facts.valid_from}T00:00:00+08:00`)) return { verdict: 'not-in-force' };
  return stateOf(facts.n, until, roots);
}

function lines(facts) {
  if (!facts) return [];
  const { title, number, holder, issuer, issued_on, valid_until } = facts;
  return Object.entries({ title, number, holder: holder?.name, issuer: issuer?.name, issued_on, valid_until }).filter(([, value]) => value);
}

function button(where, label, { make }, act) {
  const made = make('button', label, 'main');
  made.type = 'button';
  made.onclick = act;
  where.replaceChildren(made);
}

async function compare(sha256, file, where, page) {
  await attempt(where, page, async () => {
    const found = await post({ sha256 }, ELSEWHERE);
    if (found.issued) return page.answered(where, found);
    button(where, SAY.consent, page, () => attempt(where, page, async () => page.answered(where, await post(file, { ...ELSEWHERE, media: 'application/pdf' }))));
    where.prepend(page.make('p', SAY.other));
  });
}

async function attempt(where, { make }, act) {
  where.replaceChildren(make('p', SAY.wait));
  try {
    await act();
  } catch (error) {
    where.replaceChildren(make('p', error.told ?? SAY.failed));
  }
}
