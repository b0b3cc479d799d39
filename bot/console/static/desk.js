// @ts-check
// What the pages of cases share: buttons that decide, and pictures that are shown on demand alone.

import { openForm } from './dialogs.js';
import { say } from './dom.js';
import { post, Refusal } from './forms.js';

const BUSY_MS = 5_000; // after that a press may be tried again, whatever became of the first
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

/** Press a button of a case, once. What comes of it is heard on the line.
 * @param {HTMLElement} button @param {{decided: (id: string, button: string) => void, refused?: (id: string) => void}} page */
export async function press(button, page) {
  const holder = /** @type {HTMLElement} */ (button.closest('[data-case]'));
  const id = caseOf(holder);
  const name = button.dataset.press ?? '';
  if (holder.getAttribute('aria-busy') === 'true') return;
  busy(holder, true);
  tell(holder, '');
  button.dataset.id ??= crypto.randomUUID(); // the same if it has to be sent again
  try {
    const body = new URLSearchParams({ id: button.dataset.id, version: holder.dataset.version ?? '' });
    const { text } = await post(`${desk}/cases/${id}/buttons/${name}`, body);
    const { form } = JSON.parse(text);
    if (form) {
      delete button.dataset.id;
      busy(holder, false);
      openForm(form, button);
      document.querySelector('dialog.form')?.addEventListener('form:sent', () => page.decided(id, name));
      return;
    }
    setTimeout(() => busy(holder, false), BUSY_MS);
    page.decided(id, name);
  } catch (error) {
    busy(holder, false);
    if (!(error instanceof Refusal)) throw error;
    if (error.status) delete button.dataset.id; // it was heard, so the next press is another one
    tell(holder, error.message);
    if (error.status === 409) page.refused?.(id);
  }
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

/** Have buttons and pictures do what they say. @param {Parameters<typeof press>[1]} page */
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
}
