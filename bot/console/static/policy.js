// @ts-check
// The editor of the policy: what is wrong is said while one types, and what was typed is never lost.

import { fragment, say } from './dom.js';
import { goToTheDoor } from './forms.js';

const CHECK_AFTER_MS = 500;

/** @template {HTMLElement} T @param {string} id @returns {T} */
const byId = id => /** @type {T} */ (document.getElementById(id));

const form = /** @type {HTMLFormElement} */ (byId('policy'));
const text = /** @type {HTMLTextAreaElement} */ (byId('text'));
const numbers = byId('numbers');
const kept = `policy:${location.pathname}`;

/** @typedef {{line: number, key: string, says: string}} Wrong */

/** Lines on which something is wrong. @type {Set<number>} */
let marked = new Set();
let saved = text.value;
let checking = new AbortController();
let waiting = 0;
let saving = false;
let sent = { text: '', id: '' }; // the same text sent again, after the server did not answer, is the same version

/** @param {string} path @param {Record<string, string>} fields @param {AbortSignal} [signal] */
async function send(path, fields, signal) {
  const csrf = document.querySelector('meta[name="csrf"]')?.getAttribute('content') ?? '';
  const answer = await fetch(path, { method: 'POST', headers: { 'X-CSRF': csrf }, body: new URLSearchParams(fields), signal });
  if (answer.status === 401) {
    keep();
    goToTheDoor();
  }
  return answer;
}

/** Number the lines; those on which something is wrong are marked. */
function number() {
  const count = text.value.split('\n').length;
  numbers.replaceChildren(...Array.from({ length: count }, (_, at) => {
    const line = document.createElement('span');
    line.textContent = String(at + 1);
    if (marked.has(at + 1)) line.className = 'wrong';
    return line;
  }));
  numbers.scrollTop = text.scrollTop;
}

function changed() {
  return text.value !== saved;
}

/** Keep what was typed for when the page is opened again, also after signing in anew. */
function keep() {
  if (changed()) sessionStorage.setItem(kept, JSON.stringify({ text: text.value, basedOn: form.dataset.basedOn }));
  else sessionStorage.removeItem(kept);
}

function restore() {
  const stored = JSON.parse(sessionStorage.getItem(kept) ?? 'null');
  if (!stored || stored.text === text.value) return;
  text.value = stored.text;
  form.dataset.basedOn = stored.basedOn; // of what it was changed, so that what others saved since is not overwritten
  byId('restored').hidden = false;
  typed();
}

function typed() {
  keep();
  number();
  state('');
  clearTimeout(waiting);
  waiting = setTimeout(() => void check(), CHECK_AFTER_MS);
}

async function check() {
  checking.abort();
  checking = new AbortController();
  try {
    const answer = await send(form.dataset.check ?? '', { text: text.value }, checking.signal);
    if (!answer.ok) return;
    const { errors, changes } = await answer.json();
    show(errors, changes ?? '');
  } catch (error) {
    if (!(error instanceof TypeError) && !(error instanceof DOMException)) throw error; // not reached, or typed on meanwhile
  }
}

/** Say what is wrong, or what it would change. @param {Wrong[]} errors @param {string} changes a fragment of ours */
function show(errors, changes) {
  marked = new Set(errors.map(each => each.line));
  number();
  text.toggleAttribute('aria-invalid', errors.length > 0);
  if (errors.length) text.setAttribute('aria-invalid', 'true');
  const words = errors.length ? `${errors.length} ${errors.length === 1 ? 'thing is' : 'things are'} wrong` : changes ? 'In order. What it would change' : 'Nothing is changed';
  byId('verdict').textContent = words;
  say(words);
  byId('errors').replaceChildren(...errors.map(item));
  byId('changes').replaceChildren(fragment(changes));
}

/** @param {Wrong} wrong @returns {HTMLElement} */
function item(wrong) {
  const entry = document.createElement('li');
  const where = wrong.line ? `Line ${wrong.line}:` : 'The whole:';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'error';
  const line = document.createElement('b');
  line.textContent = where;
  const key = document.createElement('code');
  key.textContent = wrong.key;
  button.append(line, ' ', ...(wrong.key ? [key, ' '] : []), wrong.says);
  button.addEventListener('click', () => jump(wrong.line || 1));
  entry.append(button);
  return entry;
}

/** Go to a line of the text, and choose it. @param {number} line */
function jump(line) {
  const lines = text.value.split('\n');
  const start = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const tall = text.scrollHeight / lines.length;
  text.focus();
  text.setSelectionRange(start, start + (lines[line - 1] ?? '').length);
  text.scrollTop = Math.max(0, (line - 1) * tall - text.clientHeight / 3);
  text.scrollLeft = 0;
}

async function save() {
  if (saving) return;
  saving = true;
  problem('');
  state('Saving…');
  const typedNow = text.value;
  if (sent.text !== typedNow) sent = { text: typedNow, id: crypto.randomUUID() };
  try {
    const answer = await send(form.action, { text: typedNow, based_on: form.dataset.basedOn ?? '', id: sent.id });
    await hear(answer, typedNow);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    problem('The server does not answer. Nothing was saved; your text stays here. Try again.');
  } finally {
    saving = false;
    if (byId('state').textContent === 'Saving…') state('');
  }
}

/** @param {Response} answer @param {string} typedNow */
async function hear(answer, typedNow) {
  const json = answer.headers.get('Content-Type')?.startsWith('application/json');
  if (!json) return problem(answer.status < 500 || answer.status === 503 ? await answer.text() : `The server failed (${answer.status}). Nothing was lost; try again.`);
  const heard = await answer.json();
  if (answer.status === 422) {
    show(heard.errors, '');
    return problem('It was not saved: something is wrong in it.');
  }
  if (answer.status === 409) return meanwhile(heard);
  form.dataset.basedOn = String(heard.number);
  byId('number').textContent = String(heard.number);
  saved = typedNow;
  sent = { text: '', id: '' };
  keep();
  byId('theirs').hidden = true;
  byId('restored').hidden = true;
  state(`Saved: version ${heard.number} holds.`);
  if (text.value === typedNow) show([], '');
}

/** Somebody was first: both texts are there, and one chooses. @param {{says: string, number: number, text: string}} heard */
function meanwhile(heard) {
  problem(`${heard.says} Yours was not saved, and stays in the editor.`);
  const theirs = byId('theirs');
  byId('their-text').textContent = heard.text;
  theirs.dataset.number = String(heard.number);
  theirs.hidden = false;
}

/** @param {string} words */
function problem(words) {
  const place = byId('problem');
  place.textContent = words;
  place.hidden = !words;
}

/** @param {string} words */
function state(words) {
  byId('state').textContent = words;
}

text.addEventListener('input', typed);
text.addEventListener('scroll', () => { numbers.scrollTop = text.scrollTop; });
form.addEventListener('submit', event => {
  event.preventDefault();
  void save();
});
document.addEventListener('keydown', event => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === 's') {
    event.preventDefault();
    void save();
  }
});
byId('discard').addEventListener('click', () => {
  text.value = saved;
  sessionStorage.removeItem(kept);
  location.reload(); // with what holds now
});
byId('over').addEventListener('click', () => {
  form.dataset.basedOn = byId('theirs').dataset.number;
  void save();
});
byId('swap').addEventListener('click', () => {
  const theirs = byId('their-text');
  [text.value, theirs.textContent] = [theirs.textContent ?? '', text.value];
  form.dataset.basedOn = byId('theirs').dataset.number;
  byId('theirs-title').textContent = 'The other text';
  problem('');
  typed();
});

restore();
number();
