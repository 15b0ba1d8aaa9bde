// Pieces of the page: elements, tables that fold into cards on a phone, moments in Shanghai's time.
import { text } from './words.js';

/** An element with attributes (`class`, `data-…`, `onclick` …) and children. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element[name] = value;
    else if (value !== '' && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== ''));
  return element;
}

/** A moment in Shanghai to the second; empty for none. */
export function moment(at) {
  if (!at) return '';
  return new Date(Date.parse(at) + 8 * 3600000).toISOString().slice(0, 19).replace('T', ' ');
}

/** The Shanghai day so many days before today. */
export const dayBefore = (days) => new Date(Date.now() + 8 * 3600000 - days * 86400000).toISOString().slice(0, 10);

/** A section under a heading. */
export const section = (title, ...children) => make('section', {}, make('h2', {}, title), ...children);

/** A table. `columns`: a key of the words, a function of a row, and `figure` to align right. Empty columns are left out. */
export function table(columns, rows, note = '') {
  const filled = columns.map((column) => [...column.slice(0, 2), column[2], rows.map(column[1])]).filter(([, , , cells]) => cells.some((cell) => cell !== ''));
  const head = filled.map(([key, , kind]) => make('th', { scope: 'col', class: kind }, text(key)));
  const body = rows.map((_, index) => make('tr', {}, filled.map(([key, , kind, cells]) => make('td', { 'data-h': text(key), class: kind }, cells[index]))));
  return make('table', {}, note ? make('caption', {}, note) : null, make('thead', {}, make('tr', {}, head)), make('tbody', {}, body));
}

/** A word on its colour. */
export const mark = (words, tone) => make('span', { class: `mark ${tone}` }, words);

/** A button that is disabled while its work is under way. */
export function button(words, work, name = '') {
  const made = make('button', { type: 'button', class: name }, words);
  made.onclick = async () => {
    made.disabled = true;
    try {
      await work();
    } finally {
      made.disabled = false;
    }
  };
  return made;
}
