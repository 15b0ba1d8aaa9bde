// The other ways to check: asking the register, typing, a photo, the camera, a file. Loaded once the verdict stands.
const WAIT = ['正在查询…', 'Asking…'], MATCH = ['核对持证人（姓名与证件号码后四位）', 'Match the holder (name and last four of the id)'], FAILED = ['查询未成功，请检查网络后重试。', 'That did not work; check the network and try again.'];

/** Give the buttons of `page` their work. */
export function wire(page) {
  const { at, both, make, run } = page;
  const drawn = new Map(), chinese = {};

  /** The register's answer: verdict and what it may say, in a box of its own. */
  const answered = (where, answer) => {
    const { words, tone } = page.saying(answer.verdict, answer.cause);
    const box = make('div', '', `found ${tone}`), list = make('dl', '');
    for (const { label, english, value } of answer.fields) list.append(make('dt', both([label, english])), make('dd', value));
    box.append(make('strong', words), list);
    where.replaceChildren(box);
    drawn.set(where, answer);
  };

  /** Import a module when it is first wanted; what goes wrong is said where the reader looks. */
  const later = (where, module, act) => async (event) => {
    event.preventDefault?.();
    drawn.delete(where);
    where.textContent = both(WAIT);
    try {
      await act(await import(module), event);
    } catch (error) {
      where.replaceChildren(make('p', both(error.told ?? FAILED)));
    }
  };

  const answer = at('answer'), typing = at('found'), filed = at('filed'), looked = at('looked');
  const seen = async (reading) => {
    const code = await reading;
    looked.textContent = '';
    scrollTo(0, 0);
    await run(code);
  };
  const inspect = later(filed, './file.js', (m, file) => m.inspect(file, filed, { ...page, answered }));

  /** The register's answer to a proof, and the offer to match the holder with the same proof. */
  const asked = async (where, m, proof) => {
    answered(where, await m.lookUp(proof));
    const button = make('button', both(MATCH)), below = make('div', '');
    button.type = 'button';
    button.onclick = later(below, './match.js', (found) => found.ask(below, proof, page));
    below.append(button);
    where.append(below);
  };

  at('ask').onclick = later(answer, './ask.js', (m) => asked(answer, m, { code: page.now().code }));
  at('typed').onsubmit = later(typing, './ask.js', (m) => asked(typing, m, m.typed(at('number').value, at('check').value)));
  at('photo').onchange = later(looked, './scan.js', (m) => seen(m.fromPhoto(at('photo').files[0])));
  at('camera').onclick = later(looked, './scan.js', (m) => seen(m.fromCamera(at('video'), at('scanner'))));
  at('file').onchange = () => at('file').files[0] && inspect(at('file').files[0]);
  for (const name of ['dragover', 'dragleave', 'drop']) {
    addEventListener(name, (event) => {
      event.preventDefault();
      document.body.classList.toggle('over', name === 'dragover');
      const file = name === 'drop' && event.dataTransfer.files[0];
      if (!file) return;
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
    page.redraw();
  };
  at('large').onclick = () => page.large(at('large').getAttribute('aria-pressed') !== 'true');
  page.redraw = () => drawn.forEach((found, where) => answered(where, found));
  document.body.dataset.ways = 'ready';
  keep();
}

/** Register the service worker: from the next visit on the page verifies without a network. */
function keep() {
  if (!('serviceWorker' in navigator)) return;
  const address = '/v/sw.js';
  // Trusted Types guard the address of a worker like that of a script
  const policy = self.trustedTypes?.createPolicy('sw', { createScriptURL: (url) => { if (url === address) return url; throw new TypeError(url); } });
  navigator.serviceWorker.register(policy ? policy.createScriptURL(address) : address, { scope: '/v' }).catch(() => {});
}
