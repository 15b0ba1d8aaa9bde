// The page's words. What stands in the page itself is Chinese there already; here is its English, and what scripts say.
const ZH = {
  used: '已用印', reserved: '已预留', released: '已释放', denied: '被拒绝',
  electronic: '电子签章', printed: '套印', stamped: '加盖实物印章',
  weekdays: ['周一', '周二', '周三', '周四', '周五', '周六', '周日'],
  dayChart: '每日用印柱状图，数据见图下表格', hourChart: '按星期与时刻的用印分布图，数据见图下表格',
  byDay: '每日用印', byHour: '星期与时刻', officeHours: '办公时间', inside: '办公时间内', outside: '办公时间外', closed: '休息日', table: '看数据表',
  day: '日期', hour: '时刻', counts: '各印章计数', countsNote: '计数自启用起连续；区间内数字为所选时段。',
  sealId: '印章', owner: '所属机关', keeper: '保管人', state: '状态', counter: '计数', gaps: '缺号', none: '无',
  time: '时间', number: '编号', kind: '方式', persons: '批准人', authorisation: '用印授权', why: '说明', matter: '事项',
  unnumbered: '—', more: '继续向前', lines: '条', noLines: '所选时段内没有记录。', loading: '正在读取…', failed: '没有取得应答，请检查网络后重试。',
  signs: '异常', sound: '没有发现', shownOf: '共 {count} 条，列出最近 {shown} 条', signsNote: '异常是应当看一看的地方，不等于违规：批量办理可能在夜间进行。',
  certificates: '证照', documents: '审批文书', uses: '用印', nothing: '没有符合条件的登记。', cut: '符合的不止这些，请缩小范围。', open: '查看全貌', name: '名称', holder: '持证人', issuer: '机关', edition: '版本', changed: '最近变动', case: '办件',
  record: '一证全貌', decision: '决定链条', step: '环节', acceptance: '受理', review: '审核', approval: '批准', officer: '经办人', opinion: '意见', unusedSeals: '尚未用过的印章（{count} 枚）', back: '返回查找结果', editions: '版本与文件', history: '沿革', sheets: '实体证照', seen: '谁查阅过', level: '级别', file: '文件指纹', action: '事由', issuedOn: '签发日期', until: '有效期至', verdict: '结论', label: '名目', serial: '印制编号',
  asOf: '所问之日', show: '查看', asOfNow: '状态、结论和报告都是现在的；也可以问以前某日。', asOfDay: '状态、结论和报告是 {day} 日终了时的；报告另附今日结论。',
  reportHtml: '核验报告', reportPdf: '报告 PDF', reportJson: '报告 JSON', evidence: '证据包', proof: '日志证明', identifier: '证照标识',
  accessLog: '查阅记录', accessNote: '每小时的记录合成摘要，作为一条写入日志；“日志条目”是它的序号，凭它可以取得存在证明。', client: '系统', subject: '对象', purposeOf: '目的', outcome: '结果', leaf: '日志条目', waiting: '待并入', leafProof: '查看证明',
  shown: '已显示', exported: '已导出', given: '已调取', erased: '已依法删除', replayed: '已重新推送', 'put right and replayed': '已改正并重新推送', 'dead letter shown': '已显示未送达的推送', yes: '相符', no: '不符', refused: '已拒绝',
  checker: '持续检查', checkerNote: '后台按设定的间隔自查；也可以现在查一轮。', never: '尚未检查。', run: '现在检查一轮', running: '正在检查…', ran: '检查于',
  checkNames: { files: '文件', sheets: '空白证照', journal: '日志与台账', status: '状态清单', expiry: '印章证书到期', witnesses: '见证', statement: '对账单', deliveries: '推送市电子证照库', city: '市电子证照库', worker: '后台办理', webhooks: '事件推送', permits: '双公示', state: '状态文件' },
  pass: '通过', warn: '注意', fail: '不符', unknown: '未核',
  takeAway: '带走核对', taking: '下载', bundle: '下载审计包', bundleNote: '日志、台账对应与公布的清单，不含个人信息；在自己的机器上用 certctl audit 重算。', checkpoint: '下载检查点', checkpointNote: '留存它：下次审计用 --since 证明其间只增未改。',
  totals: { used: '用印', denied: '被拒绝', released: '释放', outside: '办公时间外', gaps: '缺号', signs: '异常种类' },
  left: '令牌剩余 {time}', over: '令牌已到期，请换新令牌', again: '访问令牌无效或已到期，请取得新的令牌。', downloaded: '已下载 {name}', who: '{auditor}，目的：{purpose}', seal: '印章', copyOf: '{n} 号章',
};
const TERMS = {
  issue: '核发', import: '补录', renew: '延续', replace: '换证', change: '变更', transfer: '转让', correct: '更正', reissue: '补证', retain: '保留', suspend: '暂扣', resume: '发还', cancel: '注销', withdraw: '撤回', revoke: '撤销', rescind: '吊销', void: '签发错误作废',
  planned: '拟发', 'in-force': '有效', suspended: '已暂扣', expired: '已过期', cancelled: '已注销', withdrawn: '已撤回', revoked: '已撤销', rescinded: '已吊销', voided: '已作废',
  'to-print': '待打印', printed: '已打印待领取', collected: '已领取', surrendered: '已收回', destroyed: '已销毁', spoiled: '打印作废', lost: '已声明遗失作废',
};
const EN = {
  title: 'Audit', domain: 'Check the address: ', entry: 'State your purpose', entryNote: 'Each view is written to the access log with person and purpose; the log goes into the append-only journal every hour.',
  auditor: 'Auditor', purpose: 'Purpose', token: 'Access token', tokenNote: 'The command below gives a token; it stays in the memory of this page only, and is gone when the page is closed or reloaded.', begin: 'Begin',
  change: 'Change purpose or token', leave: 'Leave', overview: 'Overview', anomalies: 'Anomalies', ledger: 'Ledger of uses', look: 'Look up', accesses: 'Access log', checks: 'Checks and downloads',
  since: 'From', until: 'To', seal: 'Seal', everySeal: 'All seals', anySeal: 'Any', show: 'Show', week: '7 days', month: '30 days', quarter: '90 days', year: 'A year', number: 'Number, identifier or case', person: 'Holder or officer', find: 'Look up',
  foot: 'No cookies, the token is not stored; charts are drawn by this page, nobody else is asked. Names of persons travel in request bodies, never in addresses.',
  used: 'used', reserved: 'reserved', released: 'given back', denied: 'denied', electronic: 'electronic', printed: 'printed', stamped: 'stamped by hand',
  weekdays: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'], dayChart: 'Bar chart of seal uses by day; the figures stand in the table below', hourChart: 'Seal uses by weekday and hour; the figures stand in the table below',
  byDay: 'Uses by day', byHour: 'Weekday and hour', officeHours: 'office hours', inside: 'within office hours', outside: 'outside office hours', closed: 'offices closed', table: 'Figures', day: 'Day', hour: 'Hour',
  counts: 'Counters of the seals', countsNote: 'A counter runs without gaps from the first use; the other figures are of the period.', sealId: 'Seal', owner: 'Authority', keeper: 'Keeper', state: 'State', counter: 'Counter', gaps: 'Gaps', none: 'none',
  time: 'Time', kind: 'Way', persons: 'Approved by', authorisation: 'Authorisation', why: 'Remark', matter: 'Item', more: 'Further back', lines: 'lines', noLines: 'Nothing in this period.', loading: 'Loading…', failed: 'No answer; check the network and try again.',
  signs: 'Anomalies', sound: 'none found', shownOf: '{count} in all, the newest {shown} shown', signsNote: 'An anomaly is a place to look at, not a breach: a batch may run at night.',
  certificates: 'Certificates', documents: 'Documents', uses: 'Seal uses', nothing: 'Nothing fits.', cut: 'There is more; narrow it down.', open: 'Open', name: 'Name', holder: 'Holder', issuer: 'Authority', edition: 'Edition', changed: 'Changed', case: 'Case',
  record: 'One certificate', decision: 'The decision', step: 'Step', acceptance: 'acceptance', review: 'review', approval: 'approval', officer: 'Officer', opinion: 'Opinion', unusedSeals: 'Seals not used yet ({count})', back: 'Back to what was found', editions: 'Editions and files', history: 'History', sheets: 'Sheets', seen: 'Who has looked at it', level: 'Level', file: 'Digest', action: 'Act', issuedOn: 'Issued', verdict: 'Verdict', label: 'Sheet', serial: 'Serial',
  asOf: 'As of', asOfNow: 'State, verdicts and reports are those of now; a day past may be asked about.', asOfDay: "State, verdicts and reports are those at the end of {day}; a report tells today's besides.",
  reportHtml: 'Report', reportPdf: 'Report, PDF', reportJson: 'Report, JSON', evidence: 'Evidence pack', proof: 'Journal proof', identifier: 'Identifier',
  accessLog: 'Access log', accessNote: 'The accesses of an hour are digested into one leaf of the journal; its number gives a proof of existence.', client: 'System', subject: 'Subject', purposeOf: 'Purpose', outcome: 'Outcome', leaf: 'Leaf', waiting: 'waiting', leafProof: 'proof', shown: 'shown', exported: 'exported', given: 'given out', erased: 'erased', replayed: 'sent again', 'put right and replayed': 'put right and sent again', 'dead letter shown': 'undelivered message shown', yes: 'matched', no: 'no match', refused: 'refused',
  checker: 'Continuous checker', checkerNote: 'It looks at the office at set intervals; a round can be run now.', never: 'No round yet.', run: 'Run a round now', running: 'Checking…', ran: 'ran',
  checkNames: { files: 'files', sheets: 'blank sheets', journal: 'journal and register', status: 'status lists', expiry: 'expiry of seals', witnesses: 'witnesses', statement: 'statement of reconciliation', deliveries: 'deliveries to the city', city: 'city repository', worker: 'worker', webhooks: 'webhooks', permits: 'publicity (双公示)', state: 'state files' }, pass: 'pass', warn: 'warning', fail: 'fail', unknown: 'unknown',
  takeAway: 'Take away and check', taking: 'Download', bundle: 'Download the bundle', bundleNote: 'Journal, register and published lists, without personal data; recompute it with certctl audit on your own machine.', checkpoint: 'Download the checkpoint', checkpointNote: 'Keep it: at the next audit --since proves that the log only grew in between.',
  totals: { used: 'used', denied: 'denied', released: 'given back', outside: 'outside hours', gaps: 'numbers lacking', signs: 'kinds of anomaly' },
  left: 'token: {time} left', over: 'the token has ended, get a new one', again: 'The access token is not valid or has ended; get a new one.', downloaded: '{name} downloaded', who: '{auditor}, purpose: {purpose}', copyOf: 'no. {n}',
};
const own = new Map([...document.querySelectorAll('[data-t]')].map((element) => [element.dataset.t, element.textContent]));
let english = false;

/** The words under a key, `{names}` filled in. */
export function text(key, values = {}) {
  const found = (english ? EN[key] : undefined) ?? ZH[key] ?? own.get(key) ?? key;
  return typeof found === 'string' ? found.replace(/\{(\w+)\}/g, (_, name) => values[name]) : found;
}

/** An act or a state of the register in words; in English they are words already. */
export const term = (name) => (english ? name : TERMS[name] ?? name);

/** Whether English is spoken. */
export const isEnglish = () => english;

/** Turn the words of the page itself into English and back. */
export function turn(root = document) {
  english = !english;
  document.documentElement.lang = english ? 'en' : 'zh-CN';
  for (const element of root.querySelectorAll('[data-t]')) {
    const key = element.dataset.t;
    element.textContent = english ? EN[key] ?? own.get(key) : own.get(key);
  }
}
