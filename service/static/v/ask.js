// Asking the register, at a tap: the proof travels in the body of a POST, never in an address.
const SENTENCES = {
  404: ['没有查到：编号或校验码不符，请对照证照重新输入；未成年人等不公开的证照不提供公众查询。', 'Nothing found: number or check code do not match, or the certificate has no public look-up, such as a minor’s.'],
  429: ['查询过于频繁，请稍后再试。', 'Too many look-ups; try again later.'],
  503: ['系统繁忙，请稍后再试。', 'The service is busy; try again later.'],
};

/** What proves the paper is at hand when its code cannot be read: the number with the check code printed beside it. */
export const typed = (number, check) => ({ number: number.trim(), check: check.trim().toUpperCase() });

/** What the register says of what a proof names: `{code}`, or number and check code. */
export const lookUp = (proof) => post(proof);

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
  throw Object.assign(new Error(answer.title_en), { code: answer.code, told: SENTENCES[response.status] ?? [answer.title, answer.title_en] });
}
