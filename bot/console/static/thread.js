// @ts-check
// The panel of a thread: opened and closed without leaving the channel, each with an address of its own.

import { fragment, say } from './dom.js';
import { arrange, dress, part, stayAtEnd } from './stream.js';

const chat = /** @type {HTMLElement} */ (document.getElementById('chat'));
const place = /** @type {HTMLElement} */ (document.getElementById('panel'));
const TOUCH = matchMedia('(pointer: coarse)');

/** The thread that is open, by its root. @returns {string} */
export function openThread() {
  return document.getElementById('thread')?.dataset.thread ?? '';
}

/** The list of the open thread. @returns {HTMLElement | null} */
export function threadList() {
  return document.getElementById('thread-messages');
}

/** Follow presses, the back button, and `onOpen` for a panel that came in.
 * @param {(panel: HTMLElement) => void} onOpen */
export function watchThreads(onOpen) {
  document.addEventListener('click', event => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new tab
    const target = /** @type {Element} */ (event.target);
    const opener = /** @type {HTMLElement | null} */ (target.closest('[data-open-thread]'));
    const closer = target.closest('[data-close-thread]');
    if (!opener && !closer) return;
    event.preventDefault();
    if (opener) void show(opener.dataset.openThread ?? '', onOpen, { push: true });
    else closeThread({ push: true });
  });
  addEventListener('popstate', () => {
    const root = location.pathname.match(/\/threads\/([^/]+)$/)?.[1];
    if (root && root !== openThread()) void show(root, onOpen, { push: false });
    if (!root) closeThread({ push: false });
  });
  const panel = document.getElementById('thread');
  if (panel) settle(panel, onOpen);
}

/** Close the thread; the focus goes back to the message that it hangs on. @param {{push: boolean}} how */
export function closeThread({ push }) {
  const root = openThread();
  if (!root) return;
  place.replaceChildren();
  chat.classList.remove('split');
  if (push) history.pushState(null, '', `/channels/${chat.dataset.channel}`);
  const opener = document.querySelector(`#replies-${CSS.escape(root)} a, #m-${CSS.escape(root)} [data-open-thread]`);
  /** @type {HTMLElement} */ (opener ?? document.getElementById('log'))?.focus();
}

/** @param {string} root @param {(panel: HTMLElement) => void} onOpen @param {{push: boolean}} how */
async function show(root, onOpen, { push }) {
  const html = await part(`/parts/threads/${encodeURIComponent(root)}`).catch(() => null);
  if (html === null) return say('This thread cannot be opened now.');
  place.replaceChildren(fragment(html));
  chat.classList.add('split');
  if (push) history.pushState(null, '', `/channels/${chat.dataset.channel}/threads/${root}`);
  const panel = /** @type {HTMLElement} */ (document.getElementById('thread'));
  settle(panel, onOpen);
  const field = /** @type {HTMLElement | null} */ (panel.querySelector('textarea'));
  // On a phone the focus in a text field would cover half of the thread with a keyboard.
  const first = TOUCH.matches || !field?.checkVisibility() ? document.getElementById('thread-title') : field;
  first?.focus();
  return undefined;
}

/** @param {HTMLElement} panel @param {(panel: HTMLElement) => void} onOpen */
function settle(panel, onOpen) {
  dress(panel);
  arrange(/** @type {HTMLElement} */ (threadList()));
  stayAtEnd(/** @type {HTMLElement} */ (document.getElementById('thread-log')));
  onOpen(panel);
}
