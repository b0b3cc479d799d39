// @ts-check
// Lists of messages: fetched from the server piece by piece, each as this person may see it, and put in their order.

import { fragment, put, refresh, stick } from './dom.js';
import { goToTheDoor } from './forms.js';

const GROUPED_WITHIN_MS = 5 * 60_000; // as in render.py

const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const day = new Intl.DateTimeFormat(undefined, { weekday: 'long', day: 'numeric', month: 'long' });
const moment = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'short' });
const shortDay = new Intl.DateTimeFormat(undefined, { day: 'numeric', month: 'short' });

/** Fetch a part of a page. @param {string} url @returns {Promise<string | null>} null when it is not there, or not for us */
export async function part(url) {
  const answer = await fetch(url);
  if (answer.status === 401) goToTheDoor();
  if (answer.status === 404 || answer.status === 204) return null;
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
  return answer.text();
}

/** Put one message where it belongs, or in the place of what stands for it. @param {HTMLElement} list @param {string} html */
export function putMessage(list, html) {
  const next = /** @type {HTMLElement} */ (fragment(html).firstElementChild);
  const old = document.getElementById(next.id);
  const follows = old?.classList.contains('follows') ?? false;
  const before = [...list.children].find(child => seqOf(child) > seqOf(next)) ?? null;
  const log = /** @type {HTMLElement} */ (list.closest('.log'));
  const focused = old?.contains(document.activeElement) ?? false;
  stick(log, () => {
    if (old) putProgress(old, next);
    put(next.id, dressed(html, follows), list, before);
    arrange(list);
  });
  // What was pressed may be gone now; the focus stays with the messages.
  if (focused && document.activeElement === document.body) log.focus({ preventScroll: true });
}

/** Let what is said of something's progress change where it stands: where nothing else did, that alone is read out.
 * @param {Element} old @param {Element} next */
function putProgress(old, next) {
  const [lines = [], fresh = []] = [old, next].map(each => [...each.querySelectorAll('[data-live]')]);
  if (lines.length !== fresh.length) return;
  lines.forEach((line, place) => {
    const now = /** @type {Element} */ (fresh[place]);
    for (const { name, value } of now.attributes) if (line.getAttribute(name) !== value) line.setAttribute(name, value);
    if (line.textContent !== now.textContent) line.textContent = now.textContent;
  });
}

/** Take a message away. @param {HTMLElement} list @param {string} id */
export function dropMessage(list, id) {
  document.getElementById(id)?.remove();
  arrange(list);
}

/** Show only what `html` holds. @param {HTMLElement} list @param {string} html */
export function refreshMessages(list, html) {
  const log = /** @type {HTMLElement} */ (list.closest('.log'));
  stick(log, () => {
    refresh(list, dressed(html));
    arrange(list);
  });
}

/** Replace what is said about a message's replies, and nothing else of it. @param {string} html the message */
export function putReplies(html) {
  const holder = document.createElement('ol');
  holder.append(fragment(html));
  const next = holder.querySelector('.replies');
  const old = next && document.getElementById(next.id);
  if (!next || !old) return;
  dress(next);
  stick(/** @type {HTMLElement} */ (old.closest('.log')), () => put(next.id, next.outerHTML, holder));
}

/** Say times in this browser's zone, and show as a file what cannot be shown as a picture. @param {ParentNode} root */
export function dress(root) {
  for (const time of root.querySelectorAll('time')) {
    const at = new Date(time.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    const inReplies = time.closest('.replies');
    time.textContent = inReplies && !today ? `${shortDay.format(at)}, ${clock.format(at)}` : clock.format(at);
    time.title = moment.format(at);
  }
}

/** Group a list by author and put a line above each day. @param {HTMLElement} list */
export function arrange(list) {
  for (const line of list.querySelectorAll(':scope > .day')) line.remove();
  /** @type {HTMLElement | null} */ let before = null;
  for (const child of /** @type {HTMLElement[]} */ ([...list.children])) {
    const at = new Date(child.dataset.at ?? '');
    const last = before && new Date(before.dataset.at ?? '');
    const newDay = !last || last.toDateString() !== at.toDateString();
    if (newDay) list.insertBefore(dayLine(at), child);
    const alone = newDay || !before || 'alone' in child.dataset || 'alone' in before.dataset;
    const same = !alone && before?.dataset.by === child.dataset.by && at.getTime() - Number(last) < GROUPED_WITHIN_MS;
    child.classList.toggle('follows', same);
    before = child;
  }
  const empty = list.id === 'messages' ? document.getElementById('empty') : null;
  if (empty) empty.hidden = before !== null;
}

/** Watch for pictures of which there is no preview, and keep a log at its end while its pictures come in. */
export function watchPictures() {
  document.addEventListener('error', event => {
    if (event.target instanceof HTMLImageElement) unseen(event.target);
  }, true);
  for (const picture of document.images) if (picture.complete && !picture.naturalWidth) unseen(picture);
  for (const log of document.querySelectorAll('.log')) stayAtEnd(log);
}

/** Keep a log at its end while what it holds grows, unless somebody scrolled up. @param {Element} log */
export function stayAtEnd(log) {
  let atEnd = true;
  log.scrollTop = log.scrollHeight;
  log.addEventListener('scroll', () => { atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 80; }, { passive: true });
  const grown = new ResizeObserver(() => { if (atEnd) log.scrollTop = log.scrollHeight; });
  grown.observe(log);
  for (const child of log.children) grown.observe(child);
}

/** @param {HTMLImageElement} picture */
function unseen(picture) {
  picture.closest('.picture')?.parentElement?.classList.add('unseen');
}

/** @param {Date} at */
function dayLine(at) {
  const line = document.createElement('li');
  line.className = 'day';
  const words = document.createElement('span');
  words.textContent = at.toDateString() === new Date().toDateString() ? 'Today' : day.format(at);
  line.append(words);
  return line;
}

/** A rendering as it will stand in the page, so that what has not changed is known as such.
 * @param {string} html @param {boolean} [follows] */
function dressed(html, follows = false) {
  const holder = document.createElement('ol');
  holder.append(fragment(html));
  dress(holder);
  if (follows) holder.firstElementChild?.classList.add('follows');
  return holder.innerHTML;
}

/** @param {Element} message */
function seqOf(message) {
  return Number(/** @type {HTMLElement} */ (message).dataset.seq ?? 0);
}
