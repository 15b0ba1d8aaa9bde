// Asking whether the holder is who somebody says: yes or no, five times a day for one certificate.
import { post } from './ask.js';

const SAY = {
  name: ['持证人姓名或名称', "Holder's name"], four: ['证件号码（统一社会信用代码）后四位', 'Last four characters of the id number or USCC'],
  send: ['核对', 'Compare'], yes: ['一致', 'They agree'], no: ['不一致', 'They do not agree'], left: ['，今日还可核对次数：', '; tries left today: '],
  spent: ['这份证照今日的核对次数已用完，请明日再试。', 'No tries are left for this certificate today.'],
  failed: ['查询未成功，请检查网络后重试。', 'That did not work; check the network and try again.'],
};

/** Put the form into `where`; `proof` is what opened the look-up: the code, or number and check code. */
export function ask(where, proof, { both, make }) {
  const form = make('form', ''), said = make('div', ''), send = make('button', SAY.send, 'main');
  const [name, four] = [[SAY.name, 100], [SAY.four, 4]].map(([label, most]) => {
    const input = make('input', ''), around = make('label', '');
    Object.assign(input, { required: true, autocomplete: 'off', maxLength: most });
    around.append(make('span', label), input);
    form.append(around);
    return input;
  });
  said.setAttribute('role', 'status');
  form.append(send, said);
  form.onsubmit = async (event) => {
    event.preventDefault();
    try {
      const { match, left } = await post({ ...proof, name: name.value, last_four: four.value.trim() }, { address: '/public/matches' });
      const box = make('div', '', `found ${match ? 'green' : 'red'}`);
      box.append(make('strong', match ? SAY.yes : SAY.no), make('span', () => both(SAY.left) + left));
      said.replaceChildren(box);
    } catch (error) {
      said.replaceChildren(make('p', error.code === 'no-tries-left' ? SAY.spent : error.told ?? SAY.failed));
    }
  };
  where.replaceChildren(form);
}
