// Asking the register, at a tap: the proof travels in the body of a POST, never in an address.
const SENTENCES = {
  404: ['没有查到：编号或校验码不符，请对照证照重新输入。', 'Nothing found: number or check code do not match; compare with the paper.'],
  429: ['查询过于频繁，请稍后再试。', 'Too many look-ups; try again later.'],
  503: ['系统繁忙，请稍后再试。', 'The service is busy; try again later.'],
};

/** What the register says of the certificate whose signed code this is. */
export const byCode = (code) => post({ code });

/** What the register says of a number with the check code printed beside it. */
export const byNumber = (number, check) => post({ number: number.trim(), check: check.trim().toUpperCase() });

/** POST and read the answer; an error carries the sentence for the reader in `told`. */
export async function post(body, { address = '/public/certificates', media = 'application/json' } = {}) {
  const response = await fetch(address, {
    method: 'POST',
    headers: { 'content-type': media },
    body: media === 'application/json' ? JSON.stringify(body) : body,
    credentials: 'omit',
    cache: 'no-store',
  });
  const answer = await response.json();
  if (response.ok) return answer;
  throw Object.assign(new Error(answer.title_en), { told: SENTENCES[response.status] ?? [answer.title, answer.title_en] });
}
