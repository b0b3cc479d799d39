// @ts-check
// What the pages of cases share: buttons that decide, and pictures that are shown on demand alone.

import { openForm } from './dialogs.js';
import { say } from './dom.js';
import { post, Refusal } from './forms.js';

const BUSY_MS = 5_000; // after that a press may be tried again, whatever became of the first
const NOTHING = 'Nothing came of it yet. Look again in a moment.';
const MEASURES = new Set(['timeout', 'ban']); // after them a case waits as it did before
const UNITS = /** @type {[number, string][]} */ ([[86_400, 'd'], [3_600, 'h'], [60, 'min']]); // as in desk/cards.py
export const FINE = ['restore', 'dismiss', 'overturn'];
export const WRONG = ['keep', 'remove', 'uphold'];

export const desk = /** @type {HTMLElement} */ (document.getElementById('desk')).dataset.desk ?? '';

/** @param {Element} holder what shows a case @returns {string} */
export function caseOf(holder) {
  return /** @type {HTMLElement} */ (holder).dataset.case ?? '';
}

/** The button of a case that is first among these names.
 * @param {Element | null} holder @param {string[]} names @returns {HTMLElement | null} */
export function buttonOf(holder, names) {
  return holder?.querySelector(names.map(name => `[data-press="${name}"]`).join(', ')) ?? null;
}

/** @typedef {import('./live.js').Message} Message */
/** @typedef {{button: string, timer: number, came?: Message}} Awaited what a press is to lead to, and what it led to */
/** @typedef {{decided: (id: string, button: string, came?: Message) => void, nothing: (id: string, words: string) => void,
 *   refused?: (id: string) => void}} Page */

/** The presses of which nothing has come yet, by case. @type {Map<string, Awaited>} */
const awaited = new Map();

/** Await what comes of a press, and say so if nothing does. What is heard may be faster than the answer to the press itself.
 * @param {string} id @param {string} button @param {Page} page @returns {Awaited} */
export function expectChange(id, button, page) {
  forget(id);
  const timer = setTimeout(() => {
    awaited.delete(id);
    const holder = document.querySelector(`[data-case="${CSS.escape(id)}"]`);
    if (holder && !MEASURES.has(button) && ('waits' in /** @type {HTMLElement} */ (holder).dataset) === (button === 'undo')) return;
    say(NOTHING);
    page.nothing(id, NOTHING);
  }, BUSY_MS);
  const press = { button, timer };
  awaited.set(id, press);
  return press;
}

/** @param {string} id */
export function forget(id) {
  clearTimeout(awaited.get(id)?.timer);
  awaited.delete(id);
}

/** Whether a press about a case is still to come to something. @param {string} id */
export const isAwaited = id => awaited.has(id);

/** Hear of a change of a case. Return whether what was pressed is still to come: that somebody else looks at it is not that.
 * @param {Message} message @returns {boolean} */
export function stillAwaited(message) {
  const id = String(message.id);
  const press = awaited.get(id);
  if (!press) return false;
  if (message.op === 'put' && !MEASURES.has(press.button) && message.waits !== (press.button === 'undo')) return true;
  press.came = message;
  forget(id);
  return false;
}

/** Show a sentence about a case beside it, until it changes. @param {Element | null} holder @param {string} words */
export function note(holder, words) {
  const place = holder?.querySelector('.case-words, .decide');
  const line = place?.querySelector('[data-note]') ?? document.createElement('p');
  line.className = 'small dim';
  line.setAttribute('data-note', '');
  line.textContent = words;
  place?.append(line);
}

/** Press a button of a case, once. What comes of it is heard on the line.
 * @param {HTMLElement} button @param {Page} page */
export async function press(button, page) {
  const holder = /** @type {HTMLElement} */ (button.closest('[data-case]'));
  const id = caseOf(holder);
  const name = button.dataset.press ?? '';
  if (holder.getAttribute('aria-busy') === 'true') return;
  busy(holder, true);
  tell(holder, '');
  holder.querySelector('[data-note]')?.remove();
  button.dataset.id ??= crypto.randomUUID(); // the same if it has to be sent again
  const change = expectChange(id, name, page);
  try {
    const { text } = await post(`${desk}/cases/${id}/buttons/${name}`, new URLSearchParams({ id: button.dataset.id }));
    const { form } = JSON.parse(text);
    if (form) {
      forget(id);
      delete button.dataset.id;
      busy(holder, false);
      openForm(form, button);
      watchForm(/** @type {Element} */ (document.querySelector('dialog.form')), id, name, page);
      return;
    }
    setTimeout(() => busy(holder, false), BUSY_MS);
    page.decided(id, name, change.came);
  } catch (error) {
    forget(id);
    busy(holder, false);
    if (!(error instanceof Refusal)) throw error;
    if (error.status) delete button.dataset.id; // it was heard, so the next press is another one
    tell(holder, error.message);
    if (error.status === 409) page.refused?.(id);
  }
}

/** Await what comes of a form about a case. @param {Element} dialog @param {string} id @param {string} name @param {Page} page */
function watchForm(dialog, id, name, page) {
  /** @type {Awaited | undefined} */ let change;
  dialog.addEventListener('submit', () => { change = expectChange(id, name, page); });
  dialog.addEventListener('form:failed', () => forget(id));
  dialog.addEventListener('form:sent', () => page.decided(id, name, change?.came));
}

/** @param {HTMLElement} holder @param {boolean} on */
function busy(holder, on) {
  holder.setAttribute('aria-busy', String(on));
  for (const each of holder.querySelectorAll('[data-press]')) each.setAttribute('aria-disabled', String(on));
}

/** Show a problem with a case, or take it away. @param {Element} holder @param {string} words */
function tell(holder, words) {
  const problem = holder.querySelector('[data-problem]');
  if (problem) problem.textContent = words;
}

/** Show a picture, or hide it again. Only now does it leave the server, and the audit names who looks.
 * @param {Element} picture */
export async function toggle(picture) {
  if (picture.classList.contains('revealed')) return cover(picture);
  const holder = /** @type {HTMLElement} */ (picture.closest('[data-case]'));
  if (picture.getAttribute('aria-busy') === 'true') return undefined;
  picture.setAttribute('aria-busy', 'true');
  tell(holder, '');
  try {
    const number = /** @type {HTMLElement} */ (picture).dataset.picture;
    const { text } = await post(`${desk}/cases/${caseOf(holder)}/pictures/${number}/reveal`, new URLSearchParams());
    const { url, looked, pause } = JSON.parse(text);
    const clear = document.createElement('img');
    clear.className = 'clear';
    clear.src = url;
    clear.alt = `Image of case ${caseOf(holder)}, as it was posted`;
    if (!picture.isConnected) return undefined;
    picture.append(clear);
    picture.classList.add('revealed');
    label(picture, 'Show', 'Hide');
    counted(looked, pause);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    tell(holder, error.message);
  } finally {
    picture.setAttribute('aria-busy', 'false');
  }
  return undefined;
}

/** Hide a picture again. @param {Element} picture */
function cover(picture) {
  picture.querySelector('.clear')?.remove();
  picture.classList.remove('revealed');
  label(picture, 'Hide', 'Show');
}

/** Hide all pictures: whoever leaves a page does not find them again. */
export function coverAll() {
  for (const each of document.querySelectorAll('.covered-picture.revealed')) cover(each);
}

/** Keep a picture in sight that somebody is looking at, or has asked for, while what is around it changes.
 * @param {Element | null} old @param {Element} next */
export function keepShown(old, next) {
  for (const shown of old?.querySelectorAll('.covered-picture:is(.revealed, [aria-busy="true"])') ?? []) {
    const number = /** @type {HTMLElement} */ (shown).dataset.picture;
    next.querySelector(`.covered-picture[data-picture="${number}"]`)?.replaceWith(shown);
  }
}

/** @param {Element} picture @param {string} from @param {string} to */
function label(picture, from, to) {
  const words = [...(picture.querySelector('[data-reveal]')?.childNodes ?? [])].find(node => node.nodeType === Node.TEXT_NODE);
  if (words) words.textContent = (words.textContent ?? '').replace(from, to);
}

/** @param {number} looked @param {boolean} pause */
function counted(looked, pause) {
  const line = document.getElementById('looked');
  if (!line) return;
  line.hidden = false;
  line.classList.toggle('warn', pause);
  const images = looked === 1 ? 'one image' : `${looked} images`;
  line.textContent = `You have looked at ${images}.${pause ? ' Take a pause; somebody else can go on.' : ''}`;
  if (pause) say(line.textContent);
}

/** Have buttons and pictures do what they say. @param {Page} page */
export function watchCases(page) {
  document.addEventListener('click', event => {
    const target = /** @type {Element} */ (event.target);
    const button = /** @type {HTMLElement | null} */ (target.closest('[data-press]'));
    const picture = target.closest('[data-reveal]')?.closest('.covered-picture');
    if (button) void press(button, page);
    if (picture) void toggle(picture);
  });
  // Where there is no thumbnail a grey ground stands.
  document.addEventListener('error', event => {
    if (event.target instanceof HTMLImageElement && event.target.closest('.covered-picture')) event.target.hidden = true;
  }, true);
  for (const image of /** @type {NodeListOf<HTMLImageElement>} */ (document.querySelectorAll('.covered-picture img'))) {
    if (image.complete && image.naturalWidth === 0 && image.currentSrc) image.hidden = true;
  }
  addEventListener('pagehide', coverAll);
}

/** Have the ages of what is shown grow: a desk is left open for hours. */
export function watchAges() {
  setInterval(() => {
    for (const each of /** @type {NodeListOf<HTMLTimeElement>} */ (document.querySelectorAll('time[data-age]'))) {
      const seconds = (Date.now() - Date.parse(each.dateTime)) / 1_000;
      const unit = UNITS.find(([size]) => seconds >= size);
      if (unit) each.textContent = `${Math.floor(seconds / unit[0])} ${unit[1]} ago`;
    }
  }, 60_000);
}

/** Show how many cases wait. @param {{[name: string]: unknown}} counts */
export function putCounts(counts) {
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-count]'))) {
    const count = counts[each.dataset.count ?? ''];
    if (typeof count === 'number') each.textContent = count.toLocaleString('en');
  }
  const badge = /** @type {HTMLElement | null} */ (document.querySelector('.sections .unread'));
  if (!badge?.firstChild || typeof counts.waiting !== 'number') return;
  badge.firstChild.textContent = counts.waiting > 99 ? '99+' : String(counts.waiting);
  badge.hidden = counts.waiting === 0;
}
