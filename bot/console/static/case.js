// @ts-check
// The page of a case: claims it while it is open, decides it, and goes on to the next one.

import {
  buttonOf, caseOf, coverAll, desk, expectChange, FINE, forget, keepShown, note, press, putCounts, stillAwaited, toggle,
  watchCases, WRONG,
} from './desk.js';
import { watchKeys } from './dialogs.js';
import { fragment, put, say } from './dom.js';
import { goToTheDoor, post, Refusal } from './forms.js';
import { follow } from './live.js';
import { watchLetters } from './keys.js';

const RENEW_MS = 300_000; // a claim ends by itself after ten minutes
const STAYS = new Set(['undo', 'timeout', 'ban']); // what does not end the work on a case

const area = /** @type {HTMLElement} */ (document.getElementById('case-area'));
const seen = sessionStorage.getItem('desk-queue') ?? ''; // the queue as it was last shown, perhaps that of another desk
const queue = seen.startsWith(`${desk}/cases`) ? seen : `${desk}/cases`;
let last = ''; // the case that was decided last, here

/** @returns {HTMLElement} */
const article = () => /** @type {HTMLElement} */ (document.getElementById('case'));
const current = () => caseOf(article());

/** @param {string} path @returns {Promise<string | null>} null where there is no such thing (any more) */
async function part(path) {
  const answer = await fetch(`${desk}${path}`);
  if (answer.status === 401) goToTheDoor();
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(`answered ${answer.status}`);
  return answer.text();
}

/** Have others see that somebody looks at this case, or no longer does. @param {'claim' | 'release'} what @param {string} id */
async function mark(what, id) {
  try {
    if (what === 'release' || 'waits' in article().dataset) await post(`${desk}/cases/${id}/${what}`, new URLSearchParams());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error; // nobody's work depends on it
  }
}

/** Show another case in place of this one. @param {string} id */
async function go(id) {
  const html = await part(`/parts/cases/${id}`);
  if (html === null) return;
  const before = current();
  if (before) void mark('release', before);
  area.replaceChildren(fragment(html));
  history.pushState(null, '', `${desk}/cases/${id}`);
  document.title = `Case ${id} · Flashbulb`;
  const name = document.getElementById('case-name');
  if (name) name.textContent = id;
  void mark('claim', id);
  document.getElementById('case-title')?.focus();
  document.getElementById('desk')?.scrollTo(0, 0);
}

/** @param {'next' | 'back'} where */
async function move(where) {
  const found = await part(`/cases/${current()}/next${where === 'back' ? '?back' : ''}`);
  const { id } = found === null ? { id: null } : JSON.parse(found);
  if (id) await go(id);
  else say(where === 'back' ? 'This is the first case.' : 'No other case waits.');
}

const page = {
  /** @param {string} id @param {string} button @param {import('./live.js').Message} [came] */
  decided(id, button, came) {
    if (STAYS.has(button)) return;
    last = id;
    if (came) tellCame(came);
    else tellLast(`Case ${id}: on its way.`, false);
    void move('next');
  },
  /** @param {string} id @param {string} words */
  nothing(id, words) {
    if (id === last) tellLast(`Case ${id}: ${words}`, document.getElementById('last-undo')?.hidden === false);
    else if (id === current()) note(article(), words);
  },
  /** @param {string} id */
  refused(id) {
    if (id === current()) void show();
  },
};

/** Say what became of the last decision. @param {string} words @param {boolean} undoable */
function tellLast(words, undoable) {
  /** @type {HTMLElement} */ (document.getElementById('last-words')).textContent = words;
  /** @type {HTMLElement} */ (document.getElementById('last')).hidden = false;
  /** @type {HTMLElement} */ (document.getElementById('last-undo')).hidden = !undoable;
}

/** Say how a case stands since it was decided here, or that was taken back. @param {import('./live.js').Message} message */
function tellCame(message) {
  const words = message.waits ? `Case ${message.id} waits again.` : `Case ${message.id}: ${message.standing}.`;
  tellLast(words, message.undoable === true);
  say(words);
}

/** Show the current case as it stands now; what somebody reads or looks at stays where it is. */
async function show() {
  const id = current();
  const html = await part(`/parts/cases/${id}`);
  if (html === null || id !== current()) return;
  const old = article();
  const problem = old.querySelector('[data-problem]')?.textContent ?? '';
  const next = put('case', html, area);
  keepShown(old, next);
  const place = next.querySelector('[data-problem]');
  if (place) place.textContent = problem;
}

/** @param {import('./live.js').Message} message */
function hear(message) {
  if (message.op === 'count') return putCounts(message);
  const id = String(message.id);
  if (!stillAwaited(message) && id === last && message.op === 'put') tellCame(message);
  if (id !== current()) return undefined;
  if (message.op === 'drop') {
    say('This case was erased.');
    area.replaceChildren(fragment('<article id="case"><h2 id="case-title" tabindex="-1">This case was erased.</h2></article>'));
  } else void show();
  return undefined;
}

/** @param {string[]} names */
function decide(names) {
  const button = buttonOf(article(), names);
  if (button) void press(button, page);
  else say(article().querySelector('.standing')?.textContent ?? 'This cannot be done about this case.');
}

/** Take the last decision back: that of this case, else the one before. */
async function undo() {
  const here = buttonOf(article(), ['undo']);
  if (here) return void press(here, page);
  if (!last || document.getElementById('last-undo')?.hidden) return undefined;
  const id = last;
  expectChange(id, 'undo', page);
  try {
    await post(`${desk}/cases/${id}/buttons/undo`, new URLSearchParams({ id: crypto.randomUUID() }));
  } catch (error) {
    forget(id);
    if (error instanceof Refusal) tellLast(error.message, false);
  }
  return undefined;
}

watchCases(page);
watchKeys();
document.addEventListener('click', event => {
  const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-move]'));
  if (button) void move(button.dataset.move === 'back' ? 'back' : 'next');
});
document.getElementById('last-undo')?.addEventListener('click', () => void undo());
document.querySelector('a.back')?.setAttribute('href', queue);
watchLetters({
  j: () => void move('next'),
  k: () => void move('back'),
  a: () => decide(FINE),
  r: () => decide(WRONG),
  u: () => void undo(),
  ' ': () => { const picture = article().querySelector('.covered-picture'); if (picture) void toggle(picture); },
  '/': () => location.assign(`${queue}#find`),
  Escape: () => location.assign(queue),
});
void mark('claim', current());
setInterval(() => { if (!document.hidden) void mark('claim', current()); }, RENEW_MS);
addEventListener('popstate', () => location.reload());
addEventListener('pagehide', () => {
  coverAll();
  const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute('content') ?? '';
  const headers = { 'X-CSRF': csrf, 'Content-Type': 'application/x-www-form-urlencoded' };
  void fetch(`${desk}/cases/${current()}/release`, { method: 'POST', keepalive: true, headers }).catch(() => undefined);
});
follow({ hear, resync: show });
