// The auditor's page: who asks and why, then one view at a time. Nothing is kept beyond this page's memory.
import { Refusal, get, hold, session, tokenEnds } from './ask.js';
import { dayBefore, make } from './parts.js';
import { accesses, anomalies, checks, ledger, look, overview, record } from './views.js';
import { isEnglish, text, turn } from './words.js';

const at = (id) => document.getElementById(id);
const VIEWS = { overview, anomalies, ledger, accesses, checks };
const OF_PERIOD = new Set(['overview', 'anomalies', 'ledger']);
const LOW = 60; // seconds
let current = 'overview', draw = () => [], before = null, asked = 0, pending = null;

const period = () => ({ since: at('since').value, until: at('until').value, seal: at('seal').value });

const page = {
  say: (words) => { at('status').textContent = words; },
  redraw: () => at('view').replaceChildren(...draw().filter(Boolean)),
  open: (identifier) => show(() => record(identifier, page), true),
  asOf: (identifier, day) => show(() => record(identifier, page, day), false, true),
  back: () => { if (before) { draw = before; before = null; page.redraw(); } },
  guard,
};

/** Do `work`; say what was refused, and ask for a new token when that was it. */
async function guard(work) {
  try {
    await work();
    return true;
  } catch (error) {
    if (!(error instanceof Refusal)) page.say(text('failed'));
    else if (error.status === 401) reenter(work);
    else page.say(error.told(isEnglish()));
    return false;
  }
}

function reenter(work) {
  pending = work;
  at('entry').hidden = false;
  at('refused').textContent = text('again');
  at('token').value = '';
  at('token').focus();
}

/** Show a view; `over` keeps the one before to come back to, `still` the one kept already. An answer that comes late is not shown over a newer one. */
async function show(ask, over = false, still = false) {
  const number = ++asked;
  page.say(text('loading'));
  await guard(async () => {
    const made = await ask();
    if (number !== asked) return;
    if (!still) before = over ? draw : null;
    draw = made;
    page.say('');
    page.redraw();
    at('view').scrollIntoView({ block: over ? 'start' : 'nearest' });
  });
}

function select(name) {
  current = name;
  for (const tab of at('tabs').children) tab.toggleAttribute('aria-current', tab.dataset.view === name);
  at('period').hidden = !OF_PERIOD.has(name);
  at('search').hidden = name !== 'look';
  draw = () => [];
  before = null;
  page.redraw();
  page.say('');
  if (VIEWS[name]) return show(() => VIEWS[name](period(), page));
  asked += 1;
  at('s-number').focus();
  return undefined;
}

async function enter(event) {
  event.preventDefault();
  const [auditor, purpose, token] = ['auditor', 'purpose', 'token'].map((id) => at(id).value.trim());
  hold({ auditor, purpose, token });
  at('refused').textContent = '';
  const first = at('work').hidden;
  if (first && !(await begin())) return;
  at('token').value = '';
  at('entry').hidden = true;
  at('work').hidden = false;
  tellWho();
  const work = pending;
  pending = null;
  if (first) await select(current);
  else if (work) await guard(work);
}

/** The first question: it shows whether the token is good, and gives the seals to choose from. */
async function begin() {
  try {
    const { seals } = await get('seals', { since: dayBefore(0), until: dayBefore(0) });
    for (const list of [at('seal'), at('s-seal')]) list.append(...seals.map((seal) => make('option', { value: seal.id }, `${seal.owner} ${seal.kind_words} ${seal.id}`)));
    return true;
  } catch (error) {
    hold(null);
    at('refused').textContent = error instanceof Refusal ? error.told(isEnglish()) : text('failed');
    return false;
  }
}

function leave() {
  hold(null);
  location.reload(); // the surest way to forget
}

function tellWho() {
  if (session()) at('named').textContent = text('who', session());
  count();
}

function count() {
  const ends = session() && tokenEnds(session().token);
  const left = Math.max(0, Math.floor(ends - Date.now() / 1000));
  at('left').textContent = !ends ? '' : left ? text('left', { time: `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}` }) : text('over');
  at('left').className = ends && left < LOW ? 'low' : '';
}

function searched(event) {
  event.preventDefault();
  const wanted = Object.fromEntries(['number', 'person', 'seal', 'since', 'until'].map((name) => [name, at(`s-${name}`).value.trim()]).filter(([, value]) => value));
  return show(() => look(wanted, page));
}

function span(days) {
  at('since').value = dayBefore(days - 1);
  at('until').value = dayBefore(0);
}

at('signin').onsubmit = enter;
at('search').onsubmit = searched;
at('period').onsubmit = (event) => { event.preventDefault(); select(current); };
at('change').onclick = () => { at('entry').hidden = false; at('purpose').focus(); };
at('leave').onclick = leave;
at('tabs').onclick = (event) => event.target.dataset.view && select(event.target.dataset.view);
at('spans').onclick = (event) => { if (event.target.dataset.days) { span(Number(event.target.dataset.days)); select(current); } };
at('language').onclick = () => {
  turn();
  at('language').textContent = document.documentElement.lang === 'en' ? '中文' : 'English';
  at('language').lang = document.documentElement.lang === 'en' ? 'zh-CN' : 'en';
  tellWho();
  page.redraw();
};
let resizing = 0;
addEventListener('resize', () => { clearTimeout(resizing); resizing = setTimeout(page.redraw, 200); });
setInterval(count, 1000);
span(30);
