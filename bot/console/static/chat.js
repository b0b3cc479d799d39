// @ts-check
// A channel: hears what changes, asks for it, and sends what a person does.

import { findAnswers, onAnswer } from './answers.js';
import { Composer, takeDrops } from './composer.js';
import { openForm, watchKeys } from './dialogs.js';
import { fragment, say } from './dom.js';
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
  changes = changes.then(change).then(findAnswers).catch(() => { setTimeout(() => afterTheOthers(resync), TRY_AGAIN_MS); });
}

/** @param {Changed} changed */
async function showChange({ id, thread }) {
  if (thread) return showReply(id, thread);
  const html = await part(`/parts/messages/${id}`);
  if (html === null) dropMessage(list, `m-${id}`);
  else if (latest || document.getElementById(`m-${id}`)) putMessage(list, html);
  if (openThread() !== id) return undefined;
  if (html === null) closeThread({ push: true });
  else await showRoot(id);
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
  refreshMessages(messages, fragment(html).querySelector('#thread-messages')?.innerHTML ?? '');
}

/** @param {import('./live.js').Message} message */
function hear(message) {
  if (message.op !== 'changed') return;
  const id = String(message.id);
  const thread = message.thread ? String(message.thread) : null;
  const of = message.topic.replace(/^channel:/, '');
  if (message.new && !thread) heardOf(of, Number(message.message), channel);
  if (of === channel) afterTheOthers(() => showChange({ id, thread }));
}

/** What came of something that was sent: a form that opens, a message that stands now, or words in its place.
 * @param {import('./composer.js').Sent} sent @param {HTMLElement | null} from @param {() => void} onWords */
function onSent({ form, message, thread = null, words }, from, onWords) {
  if (form) openForm(form, from, giveFormBack);
  if (words) onAnswer(words, onWords);
  if (!message) return;
  afterTheOthers(async () => {
    await showChange({ id: message, thread });
    const log = document.getElementById(thread ? 'thread-log' : 'log');
    if (log) log.scrollTop = log.scrollHeight;
  });
}

/** Offer a form once more, as it was filled in, below the words that say what is wrong with it.
 * @param {string} answer @param {() => void} reopen */
function giveFormBack(answer, reopen) {
  const { words } = JSON.parse(answer);
  if (words) onAnswer(words, message => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button';
    button.textContent = 'Open the form again';
    button.addEventListener('click', () => { button.remove(); reopen(); });
    message.querySelector('.said')?.append(button);
  });
}

/** Send a choice from a message's menu. @param {string} url @param {HTMLElement} from */
async function choose(url, from) {
  const problem = from.closest('.stream, .panel')?.querySelector('.composer [data-problem]');
  if (problem) problem.textContent = '';
  try {
    const { text } = await post(url, new URLSearchParams({ id: crypto.randomUUID() }));
    const sent = JSON.parse(text);
    if (!sent.form) say('Flashbulb is on it.');
    onSent(sent, from, () => {});
  } catch (error) {
    if (problem && error instanceof Refusal) problem.textContent = error.message;
  }
}

/** Press a button of one of our messages. What follows is a form, a change of that message, or (`data-again`) another message. @param {HTMLElement} button */
async function press(button) {
  if (button.getAttribute('aria-disabled') === 'true') return;
  const buttons = (button.closest('.decisions') ?? button.parentElement)?.querySelectorAll('[data-press]') ?? [];
  const problem = button.closest('.card')?.querySelector('[data-problem]');
  const busy = (/** @type {boolean} */ on) => { for (const each of buttons) each.setAttribute('aria-disabled', String(on)); };
  busy(true);
  button.dataset.id ??= crypto.randomUUID(); // the same if it has to be sent again
  if (problem) problem.textContent = '';
  try {
    const { text } = await post(button.dataset.press ?? '', new URLSearchParams({ id: button.dataset.id }));
    const sent = JSON.parse(text);
    onSent(sent, button, () => showAnew(button));
    if (!sent.form && !('again' in button.dataset)) return;
    if (!sent.form) say('Flashbulb is on it.');
    delete button.dataset.id; // the next press is another one
    busy(false);
  } catch (error) {
    busy(false);
    if (problem && error instanceof Refusal) problem.textContent = error.message;
  }
}

/** Show the message of a button as it is now. @param {HTMLElement} button */
function showAnew(button) {
  const shown = /** @type {HTMLElement | null} */ (button.closest('[data-message]'));
  if (!shown) return; // it was replaced meanwhile
  const id = shown.dataset.message ?? '';
  const thread = shown.id.startsWith('t-') && openThread() !== id ? openThread() : null;
  afterTheOthers(() => showChange({ id, thread }));
}

/** Uncover what is for adults: only now does the page ask for it. @param {HTMLElement} button */
function reveal(button) {
  const thing = /** @type {HTMLElement} */ (button.closest('.covered'));
  for (const each of /** @type {NodeListOf<HTMLElement>} */ (thing.querySelectorAll('[data-src], [data-href]'))) {
    for (const [name, value] of Object.entries(each.dataset)) {
      each.setAttribute(name, value ?? '');
      delete each.dataset[name];
    }
  }
  thing.classList.remove('covered');
  button.remove();
  /** @type {HTMLElement | null} */ (thing.querySelector('a[href], [controls]'))?.focus();
}

/** @param {HTMLElement} button */
async function copy(button) {
  const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.copy ?? ''));
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
    say('Copied.');
    button.classList.add('copied');
  } catch {
    say('The link is selected. Copy it with your keyboard.');
  }
}

function watchClicks() {
  document.addEventListener('click', event => {
    const target = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-press], [data-reveal], [data-copy], [data-fill]'));
    if (!target) return;
    if (target.dataset.press) void press(target);
    if ('reveal' in target.dataset) reveal(target);
    if (target.dataset.copy) void copy(target);
    if (target.dataset.fill) composers.channel?.fill(target.dataset.fill);
  });
  document.addEventListener('keydown', event => {
    const inPanel = /** @type {Element} */ (event.target).closest('.panel');
    if (event.key === 'Escape' && inPanel && !event.defaultPrevented) closeThread({ push: true });
  });
}

/** @param {Element} area @returns {Composer | null} */
function composerIn(area) {
  const form = /** @type {HTMLFormElement | null} */ (area.querySelector('form[data-composer]'));
  return form && new Composer(form, (sent, giveBack) => onSent(sent, form.querySelector('textarea'), giveBack));
}

dress(list);
arrange(list);
watchPictures();
watchMenus((url, from) => void choose(url, from));
watchKeys();
watchClicks();
const stream = /** @type {HTMLElement} */ (chat.querySelector('.stream'));
composers.channel = composerIn(stream);
takeDrops(stream, () => composers.channel);
watchThreads(panel => {
  composers.thread = composerIn(panel);
  takeDrops(panel, () => composers.thread);
  findAnswers();
});
countUnread(channel);
follow({
  hear,
  resync: () => new Promise((resolve, reject) => { changes = changes.then(resync).then(findAnswers).then(resolve, reject); }),
});
