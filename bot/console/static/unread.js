// @ts-check
// How many messages came in the channels that are not open. What was seen is remembered by this browser.

const links = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('.side [data-channel]')]);
const title = document.title;
/** @type {Map<string, number>} */ const waiting = new Map();

/** Count what came since this browser last showed each channel. @param {string} current the channel that it shows now */
export function countUnread(current) {
  for (const link of links) {
    const name = link.dataset.channel ?? '';
    const seqs = (link.dataset.newest ?? '').split(' ').filter(Boolean).map(Number);
    if (name === current) saw(name, Math.max(0, ...seqs));
    else set(name, seqs.filter(seq => seq > seen(name)).length);
  }
}

/** A message came. @param {string} channel @param {number} seq @param {string} current */
export function heardOf(channel, seq, current) {
  if (channel === current) saw(channel, seq);
  else set(channel, (waiting.get(channel) ?? 0) + 1);
}

/** @param {string} name @param {number} count */
function set(name, count) {
  waiting.set(name, count);
  const place = links.find(link => link.dataset.channel === name)?.querySelector('.unread');
  if (place instanceof HTMLElement) {
    place.hidden = count === 0;
    place.textContent = count > 99 ? '99+' : String(count);
    const words = document.createElement('span');
    words.className = 'say';
    words.textContent = ' unread';
    place.append(words);
  }
  const all = [...waiting.values()].reduce((sum, each) => sum + each, 0);
  document.title = all ? `(${all}) ${title}` : title;
}

/** @param {string} channel @returns {number} */
function seen(channel) {
  return Number(localStorage.getItem(`seen:${channel}`) ?? 0);
}

/** @param {string} channel @param {number} seq */
function saw(channel, seq) {
  if (seq > seen(channel)) localStorage.setItem(`seen:${channel}`, String(seq));
}
