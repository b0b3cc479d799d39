// @ts-check
// The queue: keys and clicks decide the case that is current, and what others decide is seen where it stands.

import {
  buttonOf, caseOf, FINE, isAwaited, keepShown, note, press, putCounts, stillAwaited, toggle, watchAges, watchCases, WRONG,
} from './desk.js';
import { watchKeys } from './dialogs.js';
import { fragment, put, refresh, say } from './dom.js';
import { follow } from './live.js';
import { watchLetters } from './keys.js';

const MOST = 60; // cases that the list grows to by itself

const list = /** @type {HTMLElement} */ (document.getElementById('cases'));
let current = ''; // the id of a case: its place in the list may change
let last = ''; // the case that was decided last, here

/** @param {string} id @returns {HTMLElement | null} */
const cardOf = id => document.getElementById(`case-${id}`);

/** @param {string} id @param {{focus?: boolean}} [how] */
function choose(id, { focus = true } = {}) {
  for (const each of list.querySelectorAll('.current')) {
    each.classList.remove('current');
    each.removeAttribute('aria-current');
  }
  const card = cardOf(id);
  if (!card) return;
  current = id;
  card.classList.add('current');
  card.setAttribute('aria-current', 'true');
  if (!focus) return;
  /** @type {HTMLElement} */ (card.querySelector('.case-title')).focus({ preventScroll: true });
  card.scrollIntoView({ block: 'nearest' });
}

/** Go to the case after the current one, or before it. @param {1 | -1} step @param {(card: Element) => boolean} [fits] */
function move(step, fits = () => true) {
  const cards = [...list.children];
  const at = cards.findIndex(card => caseOf(card) === current);
  const rest = step === 1 ? cards.slice(at + 1) : cards.slice(0, Math.max(at, 0)).reverse();
  const next = rest.find(fits);
  if (next) choose(caseOf(next));
  return next !== undefined;
}

/** @param {string[]} names */
function decide(names) {
  const card = cardOf(current);
  const button = buttonOf(card, names);
  if (button) void press(button, page);
  else if (card) say(card.querySelector('.standing')?.textContent ?? 'This cannot be done about this case.');
}

function undo() {
  const button = buttonOf(cardOf(last || current), ['undo']);
  if (button) void press(button, page);
}

const page = {
  /** @param {string} id @param {string} button */
  decided(id, button) {
    if (button === 'undo') return;
    last = id;
    if (id === current) move(1, card => 'waits' in /** @type {HTMLElement} */ (card).dataset);
  },
  /** @param {string} id @param {string} words */
  nothing: (id, words) => note(cardOf(id), words),
  /** @param {string} id */
  refused(id) { if (last === id) last = ''; }, // somebody else was first
};

/** @param {import('./live.js').Message} message */
function hear(message) {
  if (message.op === 'count') return putCounts(message);
  const id = String(message.id);
  const pressed = isAwaited(id);
  // What came of a press is often heard before the press itself is answered.
  if (!stillAwaited(message) && pressed && message.op === 'put' && !message.waits) last = id;
  if (message.op === 'drop') return drop(id);
  if (message.op !== 'put') return undefined;
  const old = cardOf(id);
  if (!old && !message.waits) return undefined;
  if (!old && (!('grows' in list.dataset) || list.children.length >= MOST)) return show('new-cases', true);
  const next = put(`case-${id}`, String(message.html), list);
  keepShown(old, next);
  show('nothing', false);
  if (id === current) choose(id, { focus: false });
  if (id === last && !message.waits) say(`Case ${id}: ${message.standing}.`);
  return undefined;
}

/** A case that was erased stays where it stood, without anything. @param {string} id */
function drop(id) {
  const card = cardOf(id);
  if (!card) return;
  card.classList.add('decided');
  card.replaceChildren(fragment('<p class="standing">This case was erased.</p>'));
}

/** @param {string} id @param {boolean} on */
function show(id, on) {
  const element = document.getElementById(id);
  if (element) element.hidden = !on;
}

async function resync() {
  const answer = await fetch(list.dataset.part ?? '');
  if (!answer.ok) throw new Error('no list');
  const focused = list.contains(document.activeElement);
  refresh(list, await answer.text());
  show('nothing', list.children.length === 0);
  if (cardOf(current)) choose(current, { focus: focused && !list.contains(document.activeElement) });
  else current = '';
}

watchCases(page);
watchAges();
watchKeys();
list.addEventListener('focusin', event => {
  const card = /** @type {Element} */ (event.target).closest('[data-case]');
  if (card && caseOf(card) !== current) choose(caseOf(card), { focus: false });
});
watchLetters({
  j: () => move(1),
  k: () => move(-1),
  a: () => decide(FINE),
  r: () => decide(WRONG),
  u: undo,
  ' ': () => { const picture = cardOf(current)?.querySelector('.covered-picture'); if (picture) void toggle(picture); },
  Enter: () => cardOf(current)?.querySelector('a')?.click(),
  '/': () => document.getElementById('find')?.focus(),
});
const first = /** @type {HTMLElement | null} */ (list.querySelector('[data-waits]'));
if (first) choose(caseOf(first), { focus: false });
sessionStorage.setItem('desk-queue', location.pathname + location.search);
follow({ hear, resync });
