// The other ways to check: asking the register, typing, a photo, the camera, a file. Loaded once the verdict stands.
const WAIT = ['正在查询…', 'Asking…'], MATCH = ['核对持证人（姓名与证件号码后四位）', 'Match the holder (name and last four of the id)'], FAILED = ['查询未成功，请检查网络后重试。', 'That did not work; check the network and try again.'];
const ELSEWHERE = ['这个二维码里的网址是 $，不是 $：请勿打开。结论只依据签名。', 'The address in this code is $, not $: do not open it. The verdict rests on the signature alone.'];
const LIST = /^\/public\/(trust|seals|status\/\d+)$/;

/** Give the buttons of `page` their work. */
export function wire(page) {
  const { at, make, run } = page;
  const chinese = {};

  /** The register's answer: verdict and what it may say, in a box of its own. */
  const answered = (where, { verdict, cause, fields }) => {
    const box = make('div', '', `found ${page.saying(verdict, cause).tone}`), list = make('dl', '');
    for (const { label, english, value } of fields) list.append(make('dt', [label, english]), make('dd', value));
    box.append(make('strong', () => page.saying(verdict, cause).words), list);
    where.replaceChildren(box);
  };

  /** Import a module when it is first wanted; what goes wrong is said where the reader looks. */
  const later = (where, module, act) => async (given) => {
    given.preventDefault?.();
    // a box for each time: once another request or another scan has taken its place, what comes late is not seen
    const box = make('div', '');
    box.append(make('span', WAIT));
    where.replaceChildren(box);
    try {
      await act(await import(module), box, given);
    } catch (error) {
      box.replaceChildren(make('p', error.told ?? FAILED));
    }
  };

  const answer = at('answer'), typing = at('found'), filed = at('filed'), looked = at('looked');
  let warning = null;
  /** Put a warning under the verdict; it goes with the next code. */
  const warn = (said) => {
    warning?.remove();
    warning = said;
    said?.setAttribute('role', 'alert');
    if (said) at('paper').before(said);
  };
  addEventListener('hashchange', () => warn(null));
  const seen = async (box, module, reading) => {
    const code = await reading, host = module.hostOf(code), ours = at('domain').lastElementChild.textContent;
    if (!box.isConnected) return;
    box.replaceChildren();
    warn(null);
    scrollTo(0, 0);
    await run(code);
    if (host !== ours) warn(make('p', ELSEWHERE.map((text) => text.replace('$', host).replace('$', ours)), 'found red'));
  };
  const inspect = later(filed, './file.js', (m, box, file) => m.inspect(file, box, { ...page, answered }));
  const read = later(looked, './scan.js', (m, box, photo) => seen(box, m, m.fromPhoto(photo)));

  /** The register's answer to a proof, and the offer to match the holder with the same proof. */
  const asked = async (where, m, proof) => {
    answered(where, await m.lookUp(proof));
    const button = make('button', MATCH), below = make('div', '');
    button.type = 'button';
    button.onclick = later(below, './match.js', (found, box) => found.ask(box, proof, page));
    below.append(button);
    where.append(below);
  };

  /** Hand a chosen file on; the field is emptied, or the same name chosen again would go unnoticed. */
  const chosen = (input, act) => {
    input.onchange = () => {
      const [file] = input.files;
      input.value = '';
      if (file) act(file);
    };
  };

  at('ask').onclick = later(answer, './ask.js', (m, box) => asked(box, m, { code: page.now().code }));
  at('typed').onsubmit = later(typing, './ask.js', (m, box) => asked(box, m, m.typed(at('number').value, at('check').value)));
  at('camera').onclick = later(looked, './scan.js', (m, box) => seen(box, m, m.fromCamera(at('video'), at('scanner'))));
  chosen(at('photo'), read);
  chosen(at('file'), inspect);
  for (const name of ['dragover', 'dragleave', 'drop']) {
    addEventListener(name, (event) => {
      event.preventDefault();
      document.body.classList.toggle('over', name === 'dragover');
      const file = name === 'drop' && event.dataTransfer.files[0];
      if (!file) return;
      if (file.type.startsWith('image/')) return void read(file);
      at('pdf').open = true;
      inspect(file);
    });
  }
  let english = false, strings;
  at('language').onclick = async () => {
    strings ??= (await import('./en.js')).default;
    english = !english;
    for (const element of document.querySelectorAll('[data-t]')) {
      chinese[element.dataset.t] ??= element.textContent;
      element.textContent = (english ? strings : chinese)[element.dataset.t] ?? element.textContent;
    }
    at('language').textContent = english ? '中文' : 'English';
    at('language').lang = english ? 'zh-CN' : 'en';
    page.speak(english ? strings : null);
  };
  at('large').onclick = () => page.large(at('large').getAttribute('aria-pressed') !== 'true');
  document.body.dataset.ways = 'ready';
  (self.requestIdleCallback ?? setTimeout)(keep);
}

/** Register the service worker: from now on the page verifies without a network. */
function keep() {
  if (!('serviceWorker' in navigator)) return;
  const address = '/v/sw.js';
  // Trusted Types guard the address of a worker like that of a script
  const policy = self.trustedTypes?.createPolicy('sw', { createScriptURL: (url) => { if (url === address) return url; throw new TypeError(url); } });
  navigator.serviceWorker.register(policy ? policy.createScriptURL(address) : address, { scope: '/v' }).then(keepLists).catch(() => {});
}

/** Keep the lists of the first visit too, which came before there was a worker to keep them. */
async function keepLists() {
  if (navigator.serviceWorker.controller) return;
  const lists = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname).filter((path) => LIST.test(path));
  const cache = await caches.open('certlib-lists'); // the worker's
  for (const path of new Set(['/public/trust', ...lists])) {
    const fresh = await fetch(path);
    if (fresh.ok) await cache.put(path, fresh);
  }
}
