// The other ways to check: asking the register, typing, a photo, the camera, a file. Loaded once the verdict stands.
const WAIT = ['正在查询…', 'Asking…'], FAILED = ['查询未成功，请检查网络后重试。', 'That did not work; check the network and try again.'];

/** Give the buttons of `page` their work. */
export function wire(page) {
  const { at, both, make, run } = page;
  const drawn = new Map();

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
  const inspect = later(filed, './file.js', (m, file) => m.inspect(file, filed, { answered, both, make }));

  at('ask').onclick = later(answer, './ask.js', async (m) => answered(answer, await m.byCode(page.code())));
  at('typed').onsubmit = later(typing, './ask.js', async (m) => answered(typing, await m.byNumber(at('number').value, at('check').value)));
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
