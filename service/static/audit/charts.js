// Charts as SVG, drawn here: uses by day, and by weekday and hour. As wide as their place, so that print stays legible.
const SVG = 'http://www.w3.org/2000/svg';
const STATES = ['used', 'reserved', 'released', 'denied'];

function shape(tag, attributes, children = []) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const label = (x, y, words, anchor = 'start') => shape('text', { x, y, 'text-anchor': anchor }, [words]);
const titled = (attributes, words) => shape('rect', attributes, [shape('title', {}, [words])]);
const whole = (value) => Math.round(value * 100) / 100;

/** A round number not below `most`, divisible by four or small. */
function ceiling(most) {
  const size = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
  return [0.4, 0.8, 1, 1.2, 1.6, 2, 4, 6, 8, 10].map((times) => Math.round(times * size)).find((value) => value >= Math.max(most, 4) && value % 4 === 0) ?? size * 20;
}

/** Stacked bars, a bar for each day; days on which offices are closed stand on grey. */
export function dayChart(days, width, text) {
  const high = 220, left = 42, foot = 26, top = 12;
  const most = ceiling(Math.max(...days.map((day) => STATES.reduce((sum, state) => sum + day[state], 0))));
  const step = (width - left) / days.length, scale = (high - foot - top) / most;
  const parts = [];
  for (const [index, day] of days.entries()) {
    if (!day.working) parts.push(shape('rect', { x: whole(left + index * step), y: top, width: whole(step), height: high - foot - top, class: 'free' }));
  }
  for (const share of [0, 0.25, 0.5, 0.75, 1]) {
    const y = whole(high - foot - share * most * scale);
    if (!Number.isInteger(share * most)) continue;
    parts.push(shape('line', { x1: left, x2: width, y1: y, y2: y, class: 'rule' }), label(left - 8, y + 4, String(share * most), 'end'));
  }
  const every = Math.ceil(days.length / Math.max(2, Math.floor((width - left) / 90)));
  for (const [index, day] of days.entries()) {
    let y = high - foot;
    for (const state of STATES) {
      if (!day[state]) continue;
      const tall = Math.max(day[state] * scale, 2);
      y -= tall;
      const place = { x: whole(left + index * step + step * 0.12), y: whole(y), width: whole(step * 0.76), height: whole(tall), class: state };
      parts.push(titled(place, `${day.day} ${text(state)} ${day[state]}`));
    }
    if (index % every === 0 && left + index * step < width - 36) parts.push(label(left + index * step + 1, high - 8, day.day.slice(5)));
  }
  return shape('svg', { viewBox: `0 0 ${width} ${high}`, role: 'img', 'aria-label': text('dayChart') }, parts);
}

/** Weekdays by hours; office hours are framed, what lies outside them is in a colour of its own. */
export function hourChart(usage, width, text) {
  const left = 42, top = 18, step = (width - left) / 24, tall = 26;
  const most = Math.max(1, ...usage.hours.flat());
  const parts = [];
  for (const hour of [0, 6, 8, 12, 18]) parts.push(label(left + hour * step, 12, `${hour}`));
  for (const [row, hours] of usage.hours.entries()) {
    parts.push(label(left - 8, top + row * tall + 17, text('weekdays')[row], 'end'));
    for (const [hour, count] of hours.entries()) {
      const inside = row < 5 && hour >= usage.open_from && hour < usage.open_until;
      const level = count ? Math.max(1, Math.ceil((4 * Math.sqrt(count)) / Math.sqrt(most))) : 0;
      const place = { x: whole(left + hour * step), y: top + row * tall, width: whole(step - 1.5), height: tall - 2, rx: 2, class: count && !inside ? `o${level}` : `n${level}` };
      parts.push(titled(place, `${text('weekdays')[row]} ${hour}:00 ${text('used')} ${count}`));
    }
  }
  const frame = { x: whole(left + usage.open_from * step - 1.5), y: top - 2, width: whole((usage.open_until - usage.open_from) * step + 1.5), height: 5 * tall + 1, rx: 3, class: 'open' };
  parts.push(shape('rect', frame));
  return shape('svg', { viewBox: `0 0 ${width} ${top + 7 * tall + 4}`, role: 'img', 'aria-label': text('hourChart') }, parts);
}

/** A square of a chart's colour, for its legend. */
export function swatch(name) {
  const inside = name === 'open' ? { x: 1, y: 1, width: 10, height: 10, class: name } : { width: 12, height: 12, class: name };
  return shape('svg', { viewBox: '0 0 12 12', 'aria-hidden': 'true' }, [shape('rect', inside)]);
}
