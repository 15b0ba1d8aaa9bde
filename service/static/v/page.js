// The citizen's page: reads the code from the fragment, has it checked here, and says the verdict in words.
import { Refused, check } from './check.js';

const config = JSON.parse(document.body.dataset.config);
const at = (id) => document.getElementById(id);

const TEXT = {
  empty: '请扫描证照上的二维码',
  checking: '正在核验…',
  'valid.': '签名与登记状态均已核对。请再逐项比对纸面内容。',
  'superseded.': '持证人已换领新版本，请索看新版本，或在下方查询当前版本。',
  'suspended.': '暂扣期间，持证人不得凭此证开展活动。',
  'expired.': '有效期已过，不能再作为有效证照使用。',
  'cancelled.': '该证照已注销，不能再使用。',
  'revoked.': '该证照已失去效力（含撤回、吊销，具体原因可在下方查询）。',
  'voided.': '该件签发有误或打印作废，不能使用。',
  'paper-lost.': '持证人已声明这张纸质证照遗失，请勿采信。',
  'not-in-force.': '尚未到生效日期，或该件未启用。',
  'status-unknown.': '签名是真的，但没有取得最新状态。请联网后重试，不要仅凭此结果采信。',
  asOf: '状态数据时间：',
  hours: '（离线数据）',
  unchecked: '；状态未核对',
  ticked: '已核对',
  none: '长期',
};
const LABELS = {
  type: '证照名称', carrier: '载体', number: '编号', edition: '版本', holder: '持证主体', issuer: '签发机关',
  issued: '签发日期', until: '有效期至',
};
const CHINESE = { ...TEXT, ...LABELS };

const ANSWERS = ['answer', 'found', 'filed']; // where something is said about one certificate

let language = 'zh', words = CHINESE, english = null, now = { verdict: 'empty' }, turn = 0;

/** Say everything in another language from now on: `strings` of `en.js`, or none for Chinese. */
function speak(strings) {
  english = strings;
  language = strings ? 'en' : 'zh';
  words = { ...CHINESE, ...strings };
  for (const element of document.querySelectorAll('main *')) if (element.said) element.textContent = both(element.said);
  draw();
}

const text = (key) => words[key] ?? CHINESE[key] ?? '';
/** In the language of the moment: a pair (Chinese, English), a function that gives the words, or a plain text. */
const both = (said) => (Array.isArray(said) ? said[language === 'zh' ? 0 : 1] || said[0] : typeof said === 'function' ? said() : String(said));
/** An element that says `content`, and says it anew when the language changes. */
const make = (tag, content, name) => {
  const element = document.createElement(tag);
  element.textContent = both(content);
  if (typeof content !== 'string') element.said = content;
  if (name) element.className = name;
  return element;
};

/** A verdict's words and tone, as the library says them. */
function saying(verdict, cause) {
  const name = config.words[`${verdict}/${cause}`] ? `${verdict}/${cause}` : verdict, [chinese, tone] = config.words[name] ?? [text(verdict), 'grey'];
  return { words: language === 'zh' ? chinese : english.words[name] ?? text(verdict), tone };
}

/** A moment in Shanghai, without Intl: setting that up takes a slow telephone longer than all of the verification. */
const moment = (seconds) => new Date((seconds + 8 * 3600) * 1000).toISOString().slice(0, 16).replace('T', ' ');

function draw() {
  const { words: sentence, tone } = saying(now.verdict, now.cause);
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  document.body.dataset.verdict = now.verdict;
  document.title = `${sentence} — ${text('title') || '证照核验'}`;
  at('verdict').className = tone;
  at('words').textContent = sentence;
  at('advice').textContent = text(`${now.why ?? now.verdict}.`);
  at('fresh').textContent = freshness();
  at('paper').hidden = !now.fields;
  at('register').hidden = !now.code;
  at('fields').replaceChildren(...(now.fields ?? []).map(field));
  tick();
}

function freshness() {
  if (!now.asOf) return now.fields && now.verdict !== 'status-unknown' ? text('unchecked').slice(1) : '';
  return text('asOf') + moment(now.asOf) + (Date.now() / 1000 - now.asOf > 600 ? text('hours') : '');
}

function field([key, value], index) {
  const box = make('input', ''), label = make('label', ''), body = make('span', ''), item = make('li', '');
  box.type = 'checkbox';
  box.checked = Boolean(now.ticks?.[index]);
  box.onchange = () => { (now.ticks ??= {})[index] = box.checked; tick(); };
  body.append(make('b', both(text(key) || key)), value === null ? text('none') : both(value));
  label.append(box, body);
  item.append(label);
  return item;
}

function tick() {
  const total = now.fields?.length ?? 0, done = Object.values(now.ticks ?? {}).filter(Boolean).length;
  at('ticked').textContent = total ? `${text('ticked')} ${done} / ${total}` : '';
}

/** Check a code and show it; what was said about another certificate goes, and a code scanned later is not overtaken. */
async function run(code) {
  const mine = (turn += 1);
  for (const id of ANSWERS) at(id).replaceChildren();
  now = { verdict: 'checking' };
  draw();
  const found = await check(code, config.roots).catch((error) =>
    error instanceof Refused ? { verdict: error.verdict, why: error.why, code: error.code } : { verdict: 'unreadable' });
  if (found.why || !text(`${found.verdict}.`)) Object.assign(CHINESE, (await import('./why.js').catch(() => ({}))).default);
  if (mine !== turn) return;
  now = found;
  draw();
}

const large = (on) => {
  document.documentElement.classList.toggle('large', on);
  at('large').setAttribute('aria-pressed', on);
  try { localStorage.large = on ? '1' : ''; } catch {} // private window
};
try { if (localStorage.large) large(true); } catch {} // private window

/** Read the fragment once and take it out of the address, so that it stays in no history and no screenshot. */
async function arrive() {
  const code = location.hash.slice(1);
  if (!code) return draw();
  history.replaceState(null, '', location.pathname);
  await run(code);
}

const page = { at, both, make, saying, run, moment, large, speak, now: () => now, roots: config.roots }; // what ways.js may use
addEventListener('hashchange', arrive);
// the other ways are not even laid out before the verdict stands, or is long in coming
Promise.race([arrive(), new Promise((late) => setTimeout(late, 1500))]).then(() => import('./ways.js')).then((ways) => ways.wire(page))
  .catch(() => { document.body.dataset.ways = 'none'; });
