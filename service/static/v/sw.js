// Keeps the page and the newest signed lists on the device, so that one visit is enough to verify without a network.
const KEPT = 'certlib-__VERSION__';
const LISTS = 'certlib-lists'; // signed and dated: what they are worth is judged by the page, not by this cache
const SHELL = __SHELL__;
const PATIENCE = 3000; // milliseconds for a list before the kept one is given

self.addEventListener('install', (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener('activate', (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith('certlib-') && name !== KEPT && name !== LISTS) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener('fetch', (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== 'GET' || origin !== location.origin) return;
  if (SHELL.includes(pathname)) event.respondWith(shell(event.request, pathname));
  else if (pathname.startsWith('/public/')) event.respondWith(list(event.request, pathname));
});

/** The page itself: from the network while there is one, so that a repaired page arrives; else the kept one. */
async function shell(request, pathname) {
  try {
    const fresh = await within(fetch(request));
    if (fresh.ok) (await caches.open(KEPT)).put(pathname, fresh.clone());
    return fresh;
  } catch {
    return (await caches.match(pathname)) ?? Response.error();
  }
}

async function list(request, pathname) {
  const cache = await caches.open(LISTS);
  try {
    const fresh = await within(fetch(request));
    if (fresh.ok) await cache.put(pathname, fresh.clone());
    return fresh;
  } catch {
    return (await cache.match(pathname)) ?? Response.error();
  }
}

const within = (promise) => Promise.race([promise, new Promise((_, late) => setTimeout(late, PATIENCE))]);
