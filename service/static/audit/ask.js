// Questions to the service: token and purpose stand in this module's memory and nowhere else.
let held = null;

/** What the service refused: status, its sentence, and the faults it named. */
export class Refusal extends Error {
  constructor(status, body) {
    super(body.detail ?? body.title ?? String(status));
    this.status = status;
    this.english = body.title_en ?? this.message;
    this.faults = body.faults ?? [];
  }

  /** All of it in one language. */
  told(english) {
    return [english ? this.english : this.message, ...this.faults.map((fault) => (english && fault.english) || fault.message)].join(' ');
  }
}

/** Remember who asks, why and with which token; null forgets. */
export function hold(session) {
  held = session;
}

/** Who asks, or null. */
export const session = () => held;

/** When the token ends (seconds since 1970), 0 when it does not say. */
export function tokenEnds(token) {
  try {
    return JSON.parse(atob(token.split('.')[1].replace(/-/g, '+').replace(/_/g, '/'))).exp ?? 0;
  } catch {
    return 0;
  }
}

async function send(path, body, method) {
  const headers = {
    authorization: `Bearer ${held.token}`,
    'access-purpose': encodeURIComponent(`${held.purpose}（${held.auditor}）`),
  };
  if (body) headers['content-type'] = 'application/json';
  const request = { method, headers, body: body && JSON.stringify(body), credentials: 'omit', cache: 'no-store', redirect: 'error' };
  const response = await fetch(path, request);
  if (!response.ok) throw new Refusal(response.status, await response.json().catch(() => ({})));
  return response;
}

/** JSON from `/v1/audit/…`. */
export const get = async (path, query = {}) => {
  const given = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return (await send(`/v1/audit/${path}${given.size ? `?${given}` : ''}`, null, 'GET')).json();
};

/** JSON for a body. */
export const post = async (path, body) => (await send(`/v1/audit/${path}`, body, 'POST')).json();

/** Fetch a file with the token and hand it to the browser under a name. */
export async function download(path, name) {
  const address = URL.createObjectURL(await (await send(path, null, 'GET')).blob());
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60000);
}
