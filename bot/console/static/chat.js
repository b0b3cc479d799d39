// @ts-check
// A channel: hears what changes, asks for it, and sends what a person does.

import { Composer, takeDrops } from './composer.js';
import { openForm, watchKeys } from './dialogs.js';
import { say } from './dom.js';
import { post, Refusal } from './forms.js';
import { follow } from './live.js';
import { watchMenus } from './menu.js';
import { arrange, dress, dropMessage, part, putMessage, putReplies, refreshMessages, watchPictures } from './stream.js';
import { closeThread, openThread, threadList, watchThreads } from './thread.js';
import { countUnread, heardOf } from './unread.js';

const TRY_AGAIN_MS = 2_000;

/** @typedef {{id: string, thread: string | null}} Changed */

const chat = /** @type {HTMLElement} */ (document.getElementById('chat'));
const channel = chat.dataset.channel ?? '';
const latest = 'latest' in chat.dataset; // not an older page, to which nothing is added
const list = /** @type {HTMLElement} */ (document.getElementById('messages'));
const composers = { channel: /** @type {Composer | null} */ (null), thread: /** @type {Composer | null} */ (null) };

// One change after the other: an older rendering must not overtake a newer one.
let changes = Promise.resolve();

/** @param {() => Promise<void>} change */
function afterTheOthers(change) {
  changes = changes.then(change).catch(() => { setTimeout(() => afterTheOthers(resync), TRY_AGAIN_MS); });
}

/** @param {Changed} changed */
async function showChange({ id, thread }) {
  if (thread) return showReply(id, thread);
  const html = await part(`/parts/messages/${id}`);
  if (html === null) dropMessage(list, `m-${id}`);
  else if (latest || document.getElementById(`m-${id}`)) putMessage(list, html);
  if (html !== null && openThread() === id) await showRoot(id);
  return undefined;
}

/** @param {string} id */
async function showRoot(id) {
  const html = await part(`/parts/messages/${id}?in=thread`);
  const messages = threadList();
  if (html === null || !messages) return;
  putMessage(messages, html);
  messages.closest('.panel')?.classList.toggle('is-closed', document.querySelector(`#t-${CSS.escape(id)} .gone`) !== null);
}

/** @param {string} id @param {string} thread */
async function showReply(id, thread) {
  const root = document.getElementById(`m-${thread}`) && await part(`/parts/messages/${thread}`);
  if (root) putReplies(root);
  if (openThread() !== thread) return;
  const html = await part(`/parts/messages/${id}`);
  const messages = threadList();
  if (messages && html !== null) putMessage(messages, html);
  else if (messages) dropMessage(messages, `t-${id}`);
}

async function resync() {
  if (latest) refreshMessages(list, await part(`/parts/channels/${channel}`) ?? '');
  const thread = openThread();
  const html = thread && await part(`/parts/threads/${thread}`);
  const messages = threadList();
  if (!html || !messages) return;
  const inner = new DOMParserOfOurs(html).listOf('thread-messages');
  refreshMessages(messages, inner);
}
