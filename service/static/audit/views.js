// The views: each asks for what it shows and gives its elements. Whatever is asked for is logged by the service.
import { download, get, post } from './ask.js';
import { dayChart, hourChart, swatch } from './charts.js';
import { button, dayBefore, make, mark, moment, section, table } from './parts.js';
import { isEnglish, term, text } from './words.js';

const STATE_TONES = { used: 'green', reserved: 'grey', released: 'amber', denied: 'red' };
const OUTCOME_TONES = { pass: 'green', warn: 'amber', fail: 'red', unknown: 'grey' };
const width = () => Math.max(300, Math.min(1150, document.getElementById('view').clientWidth - 36));
const legend = (entries) => make('ul', { class: 'legend' }, entries.map(([name, key]) => make('li', {}, swatch(name), text(key))));
const figures = (...children) => make('details', {}, make('summary', {}, text('table')), ...children);

/** Totals, charts and counters of the period. */
export async function overview(period) {
  const [usage, seals, signs] = await Promise.all([get('usage', period), get('seals', period), get('anomalies', period)]);
  return () => {
    const sum = (state) => usage.days.reduce((total, day) => total + day[state], 0);
    const lacking = seals.seals.flatMap((seal) => seal.gaps).reduce((total, [first, last]) => total + last - first + 1, 0);
    const odd = signs.signs.filter((sign) => sign.count).length;
    const totals = { used: sum('used'), denied: sum('denied'), released: sum('released'), outside: usage.outside, gaps: lacking, signs: odd };
    const tones = { used: 'blue', gaps: lacking ? 'red' : 'green', signs: odd ? 'amber' : 'green' };
    const tiles = Object.entries(totals).map(([key, count]) => make('p', { class: `tile ${tones[key] ?? (count ? 'amber' : 'green')}` }, make('b', {}, String(count)), make('span', {}, text('totals')[key])));
    return [make('div', { class: 'tiles' }, tiles), days(usage), hours(usage), counters(seals.seals.filter((seal) => !period.seal || seal.id === period.seal))];
  };
}

function days(usage) {
  const rows = usage.days.filter((day) => day.used + day.reserved + day.released + day.denied);
  const columns = [['day', (day) => day.day], ...['used', 'reserved', 'released', 'denied'].map((state) => [state, (day) => String(day[state]), 'figure'])];
  const key = [['used', 'used'], ['released', 'released'], ['denied', 'denied'], ['reserved', 'reserved'], ['free', 'closed']];
  return section(text('byDay'), dayChart(usage.days, width(), text), legend(key), figures(rows.length ? table(columns, rows) : text('noLines')));
}

function hours(usage) {
  const rows = usage.hours.flatMap((hours, row) => hours.map((count, hour) => ({ row, hour, count }))).filter((cell) => cell.count);
  const columns = [['day', (cell) => text('weekdays')[cell.row]], ['hour', (cell) => `${cell.hour}:00`], ['used', (cell) => String(cell.count), 'figure']];
  return section(text('byHour'), hourChart(usage, width(), text), legend([['n3', 'inside'], ['o3', 'outside'], ['open', 'officeHours']]), figures(rows.length ? table(columns, rows) : text('noLines')));
}

function counters(seals) {
  const figure = (key) => [key, (seal) => String(seal[key]), 'figure'];
  const gaps = (seal) => (seal.gaps.length ? mark(seal.gaps.map(([first, last]) => (first === last ? first : `${first}–${last}`)).join('、'), 'red') : mark(text('none'), 'green'));
  const columns = [
    ['sealId', (seal) => `${seal.owner} ${seal.kind_words}${seal.copy > 1 ? ` ${text('copyOf', { n: seal.copy })}` : ''}　${seal.id}`],
    ['keeper', (seal) => seal.keeper], ['state', (seal) => mark(isEnglish() ? seal.state : seal.state_words, seal.state === 'enabled' ? 'green' : 'amber')],
    figure('counter'), figure('electronic'), figure('printed'), figure('stamped'), figure('denied'), figure('released'), ['gaps', gaps],
  ];
  const sorted = [...seals].sort((one, other) => other.counter - one.counter), busy = sorted.filter((seal) => seal.counter || seal.denied), idle = sorted.filter((seal) => !busy.includes(seal));
  const unused = idle.length && make('details', {}, make('summary', {}, text('unusedSeals', { count: idle.length })), table(columns.slice(0, 3), idle));
  return section(text('counts'), busy.length ? table(columns, busy, text('countsNote')) : text('noLines'), unused || null);
}

/** Each kind of sign with its newest cases, those without a case at the end. */
export async function anomalies(period, page) {
  const { signs } = await get('anomalies', period);
  return () => {
    const words = (sign) => (isEnglish() ? sign.english : sign.words);
    const found = signs.filter((sign) => sign.count), none = signs.filter((sign) => !sign.count);
    return [make('p', { class: 'note' }, text('signsNote')), ...found.map((sign) => unfolding(sign, words(sign), page)), ...none.map((sign) => make('p', { class: 'sound' }, mark(text('sound'), 'green'), ` ${words(sign)}`))];
  };
}

function unfolding(sign, words, page) {
  const columns = [
    ['time', (entry) => moment(entry.at)], ['sealId', (entry) => entry.seal ?? ''], ['counter', (entry) => String(entry.counter ?? '')],
    ['number', (entry) => (entry.identifier ? opener(entry.number, entry.identifier, page) : entry.number ?? '')], ['why', (entry) => entry.detail ?? ''],
  ];
  const note = text('shownOf', { count: sign.count, shown: sign.entries.length });
  return make('details', { class: `sign ${sign.tone}` }, make('summary', {}, make('b', {}, String(sign.count)), words), table(columns, sign.entries, note));
}

const opener = (words, identifier, page) => make('button', { type: 'button', class: 'link', onclick: () => page.open(identifier) }, words);

function useColumns(page) {
  return [
    ['time', (use) => moment(use.closed_at || use.reserved_at)], ['counter', (use) => String(use.counter ?? text('unnumbered')), 'figure'], ['sealId', (use) => use.seal],
    ['state', (use) => mark(text(use.state), STATE_TONES[use.state])], ['kind', (use) => text(use.kind)], ['matter', (use) => use.item],
    ['number', (use) => (page && use.document?.identifier ? opener(use.number, use.document.identifier, page) : use.number)],
    ['persons', (use) => use.persons.join('、')], ['authorisation', (use) => use.authorisation], ['why', (use) => use.why],
  ];
}

/** The ledger of uses, page by page. */
export async function ledger(period, page) {
  const read = (before) => get('uses', { ...period, before, limit: 50 });
  return paged(await read(0), 'uses', read, (rows) => section(text('ledger'), rows.length ? table(useColumns(page), rows, `${rows.length} ${text('lines')}`) : text('noLines')), page);
}

/** The access log, page by page. */
export async function accesses(_period, page) {
  const read = (before) => get('accesses', { before, limit: 50 });
  return paged(await read(0), 'accesses', read, (rows) => section(text('accessLog'), make('p', { class: 'note' }, text('accessNote')), table(accessColumns(true), rows)), page);
}

function accessColumns(withLeaf) {
  const proof = (row) => (row.leaf === null ? mark(text('waiting'), 'grey') : make('a', { href: `/log/proof?leaf=${row.leaf}`, target: '_blank', rel: 'noopener' }, `${row.leaf} ${text('leafProof')}`));
  return [
    ['time', (row) => moment(row.at)], ['client', (row) => row.client], ...(withLeaf ? [['subject', (row) => row.subject]] : []),
    ['purposeOf', (row) => row.purpose], ['outcome', (row) => text(row.outcome)], ...(withLeaf ? [['leaf', proof]] : []),
  ];
}

function paged(first, name, read, draw, page) {
  const rows = [...first[name]];
  let next = first.next;
  const more = () => button(text('more'), () => page.guard(async () => {
    const answer = await read(next);
    rows.push(...answer[name]);
    next = answer.next;
    page.redraw();
  }));
  return () => [draw(rows), next ? make('p', {}, more()) : null];
}

/** What fits a search. */
export async function look(wanted, page) {
  const found = await post('searches', wanted);
  return () => {
    const cut = (name) => (found.more.includes(name) ? make('p', { class: 'note' }, text('cut')) : null);
    const certificates = [
      ['number', (row) => opener(row.number, row.identifier, page)], ['name', (row) => row.name], ['holder', (row) => row.holder], ['issuer', (row) => row.issuer],
      ['state', (row) => (isEnglish() ? row.state : row.state_words)], ['edition', (row) => String(row.edition), 'figure'], ['changed', (row) => moment(row.updated_at)],
    ];
    const documents = [['number', (row) => row.number], ['name', (row) => row.name], ['holder', (row) => row.holder], ['issuer', (row) => row.issuer], ['case', (row) => row.case], ['issuedOn', (row) => row.issued_on], ['taking', (row) => row.sha256 && make('div', { class: 'row' }, taking('reportHtml', ...report(row, row, 'html'), page), taking('proof', ...proof(row), page))]];
    const parts = [['certificates', certificates], ['documents', documents], ['uses', useColumns(page)]];
    const shown = parts.filter(([name]) => found[name].length).map(([name, columns]) => section(text(name), table(columns, found[name]), cut(name)));
    return shown.length ? shown : [section(text('look'), text('nothing'))];
  };
}

/** One certificate, now or as of a day: what it is, its files with what can be taken away, its history, uses, and who looked at it. */
export async function record(identifier, page, day = '') {
  const found = await get(`certificates/${encodeURIComponent(identifier)}`, { at: day }), one = found.certificate;
  return () => {
    const facts = [['number', one.number], ['identifier', one.identifier], ['name', one.name], ['state', isEnglish() ? one.state : one.state_words], ['holder', `${one.holder.name}（${one.holder.code}）`], ['issuer', one.issuer], ['matter', one.item], ['case', one.case]];
    const steps = ['acceptance', 'review', 'approval'].filter((step) => one.decision[step]).map((step) => ({ step, ...one.decision[step] }));
    const chain = [['step', (step) => text(step.step)], ['issuer', (step) => found.authorities[step.authority] ?? step.authority], ['officer', (step) => step.person], ['time', (step) => moment(step.at)], ['opinion', (step) => step.opinion ?? '']];
    const history = [['time', (event) => moment(event.at)], ['action', (event) => term(event.action)], ['state', (event) => `${term(event.from)} → ${term(event.to)}`], ['case', (event) => event.case], ['client', (event) => event.client ?? '']];
    const sheets = [['label', (sheet) => sheet.label], ['serial', (sheet) => sheet.serial || text('none')], ['edition', (sheet) => String(sheet.edition)], ['state', (sheet) => term(sheet.state)], ['verdict', (sheet) => (isEnglish() ? sheet.verdict : sheet.verdict_words)]];
    return [
      make('p', {}, button(text('back'), () => page.back())),
      section(`${text('record')} · ${one.number}`, asOf(identifier, page, day), make('dl', {}, facts.flatMap(([key, value]) => [make('dt', {}, text(key)), make('dd', {}, value)]))),
      section(text('editions'), one.editions.toReversed().map((edition) => files(one, edition, page, day))),
      section(text('uses'), found.uses.length ? table(useColumns(null), found.uses) : text('noLines')),
      steps.length ? section(text('decision'), table(chain, steps)) : null,
      section(text('history'), table(history, one.history)),
      one.sheets.length ? section(text('sheets'), table(sheets, one.sheets)) : null,
      section(text('seen'), table(accessColumns(false), found.accesses)),
    ];
  };
}

const taking = (key, path, name, page, kind = '') => button(text(key), () => page.guard(async () => {
  await download(path, name);
  page.say(text('downloaded', { name }));
}), kind);
const report = (one, file, form, day = '') => [`/v1/audit/files/${file.sha256}/report?form=${form}${day && `&at=${day}`}`, `${one.number}-report${day && `-${day}`}.${form}`];
const proof = (file) => [`/log/files/${file.sha256}/proof`, `${file.sha256.slice(0, 16)}.tlog-proof`];

/** The day that a certificate is looked at as of; none is now. */
function asOf(identifier, page, day) {
  const today = dayBefore(0), input = make('input', { type: 'date', id: 'as-of', min: '2000-01-01', max: today, value: day });
  const look = () => page.asOf(identifier, input.value === today ? '' : input.value);
  return [
    make('form', { class: 'row asked', onsubmit: (event) => { event.preventDefault(); look(); } }, make('label', {}, make('span', {}, text('asOf')), input), make('button', {}, text('show'))),
    make('p', { class: 'note' }, text(day ? 'asOfDay' : 'asOfNow', { day })),
  ];
}

function files(one, edition, page, day) {
  const evidence = `/v1/audit/certificates/${encodeURIComponent(one.identifier)}/editions/${edition.index}/evidence`;
  const rows = edition.files.map((file) => [
    make('p', {}, make('code', {}, file.sha256), ` ${file.level} ${file.suite}`),
    make('div', { class: 'row' }, [['reportHtml', 'html'], ['reportPdf', 'pdf'], ['reportJson', 'json']].map(([key, form]) => taking(key, ...report(one, file, form, day), page)), taking('proof', ...proof(file), page)),
  ]);
  const title = `${text('edition')} ${String(edition.index).padStart(3, '0')}　${edition.issued_on}　${isEnglish() ? edition.verdict : edition.verdict_words}`;
  const pack = make('div', { class: 'row' }, taking('evidence', evidence, `${one.number}-${edition.index}-evidence.zip`, page));
  return make('div', {}, make('h3', {}, title), rows, edition.files.length ? pack : null);
}

/** The checker's last round, a round now, and what an auditor takes away. */
export async function checks(_period, page) {
  let found = await get('findings');
  const run = async () => {
    page.say(text('running'));
    await page.guard(async () => { found = await post('checks', {}); page.say(''); page.redraw(); });
  };
  return () => {
    const rows = found.checks.flatMap((check) => check.findings.map((finding) => ({ ...finding, at: check.at })));
    const columns = [['label', (row) => text('checkNames')[row.check] ?? row.check], ['outcome', (row) => mark(text(row.outcome), OUTCOME_TONES[row.outcome])], ['why', (row) => row.detail], ['ran', (row) => moment(row.at)]];
    const day = new Date().toISOString().slice(0, 10);
    return [
      section(text('checker'), make('p', { class: 'note' }, text('checkerNote')), rows.length ? table(columns, rows) : make('p', {}, text('never')), make('div', { class: 'row' }, button(text('run'), run))),
      section(text('takeAway'), make('p', { class: 'note' }, text('bundleNote')), make('div', { class: 'row' }, taking('bundle', '/v1/audit/bundle', `bundle-${day}.tar`, page, 'main')), make('p', { class: 'note' }, text('checkpointNote')), make('div', { class: 'row' }, taking('checkpoint', '/log/checkpoint', `checkpoint-${day}.txt`, page))),
    ];
  };
}
