// @ts-check
// Forms are sent by script, with the token that proves that our own page sent them.

/** What the server said no to, in its words. */
export class Refusal extends Error {
  /** @param {string} message @param {number} status 0 when the server was not reached */
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const MEGABYTE = 1_048_576;

/** Send a form. Signed out, the browser goes to the door; an answer that leads to another page is followed.
 * @param {string} url @param {FormData | URLSearchParams} body build it before the form is reset
 * @param {{progress?: (part: number) => void, signal?: AbortSignal}} [options] `progress` hears from 0 to 1
 * @returns {Promise<{status: number, text: string}>} @throws {Refusal} */
export function post(url, body, { progress, signal } = {}) {
  return new Promise((resolve, reject) => {
    // XMLHttpRequest, since fetch does not tell how much of an upload has gone out.
    const request = new XMLHttpRequest();
    request.open('POST', url);
    request.setRequestHeader('X-CSRF', document.querySelector('meta[name="csrf"]')?.getAttribute('content') ?? '');
    request.upload.onprogress = event => { if (event.lengthComputable) progress?.(event.loaded / event.total); };
    request.onerror = () => reject(new Refusal('The server does not answer. Nothing was sent. Try again.', 0));
    request.onabort = () => reject(new Refusal('Cancelled.', 0));
    request.onload = () => {
      const { status, responseText: text, responseURL } = request;
      if (status === 401) goToTheDoor();
      if (status >= 400) return reject(new Refusal(wordsFor(request), status));
      if (responseURL && new URL(responseURL).pathname !== new URL(url, location.href).pathname) leave(responseURL);
      return resolve({ status, text });
    };
    signal?.addEventListener('abort', () => request.abort());
    request.send(body);
  });
}

/** Say why the chosen files cannot be sent, before any of them is: the server reads a refused upload to its end.
 * @param {File[]} files @param {HTMLElement} input with data-max-bytes and data-max-files @returns {string} empty when all is well */
export function tooMuch(files, input) {
  const bytes = Number(input.dataset.maxBytes ?? Infinity);
  const most = Number(input.dataset.maxFiles ?? Infinity);
  if (files.length > most) return `Send at most ${most} files at once.`;
  const empty = files.find(file => file.size === 0);
  if (empty) return `${empty.name} is empty. Choose another file.`;
  const large = files.find(file => file.size > bytes);
  return large ? `${large.name} is too large: a file may be at most ${Math.floor(bytes / MEGABYTE)} MB.` : '';
}

let leaving = false;
addEventListener('pageshow', () => { leaving = false; });

/** Go to another page, once: signing out is heard on the socket as well as in the answer. @param {string} url */
function leave(url) {
  if (leaving) return;
  leaving = true;
  location.assign(url);
}

/** Go to the sign-in page and come back here afterwards. */
export function goToTheDoor() {
  leave(`/enter?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** Send every `<form data-send>` from now on. A form hears `form:sent` or `form:failed`; `data-keep` spares it the reset. */
export function sendForms() {
  document.addEventListener('submit', event => {
    const form = event.target;
    if (!(form instanceof HTMLFormElement) || !form.hasAttribute('data-send')) return;
    event.preventDefault();
    if (form.getAttribute('aria-busy') !== 'true') void send(form, event.submitter);
  });
}

/** @param {HTMLFormElement} form @param {HTMLElement | null} button */
async function send(form, button) {
  const body = new FormData(form, button);
  const inputs = /** @type {HTMLInputElement[]} */ ([...form.querySelectorAll('input[type="file"]')]);
  const files = inputs.length > 0;
  const refused = inputs.map(input => tooMuch([...(input.files ?? [])], input)).find(Boolean) ?? '';
  show(form, refused);
  if (refused) return;
  busy(form, true);
  try {
    const answer = await post(form.action, files ? body : plain(body), { progress: part => fire(form, 'form:progress', { part }) });
    if (!form.hasAttribute('data-keep')) form.reset();
    fire(form, 'form:sent', answer);
  } catch (error) {
    const refusal = error instanceof Refusal ? error : new Refusal('Something went wrong on this page. Reload it.', 0);
    show(form, refusal.message);
    fire(form, 'form:failed', { message: refusal.message, status: refusal.status });
  } finally {
    busy(form, false);
  }
}

/** A form without files, as browsers would send it. @param {FormData} body @returns {URLSearchParams} */
function plain(body) {
  return new URLSearchParams(/** @type {[string, string][]} */ ([...body].filter(([, value]) => typeof value === 'string')));
}

/** @param {HTMLFormElement} form @param {boolean} on */
function busy(form, on) {
  form.setAttribute('aria-busy', String(on));
  // Not `disabled`, which would throw the focus away.
  for (const button of form.querySelectorAll('button[type="submit"], button:not([type])')) button.setAttribute('aria-disabled', String(on));
}

/** Show a problem in the form's `[data-problem]`, or take it away. @param {HTMLFormElement} form @param {string} words */
function show(form, words) {
  let place = form.querySelector('[data-problem]');
  if (!place) {
    if (!words) return;
    place = document.createElement('p');
    place.className = 'problem';
    place.setAttribute('data-problem', '');
    place.setAttribute('role', 'alert');
    form.append(place);
  }
  place.textContent = words;
}

/** @param {HTMLFormElement} form @param {string} name @param {object} detail */
function fire(form, name, detail) {
  form.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
}

/** @param {XMLHttpRequest} request @returns {string} */
function wordsFor(request) {
  const plainText = request.getResponseHeader('Content-Type')?.startsWith('text/plain');
  if (plainText && request.status < 500 && request.responseText) return request.responseText;
  if (request.status === 507 || request.status === 503) return request.responseText;
  return `The server failed (${request.status}). Try again; if it stays so, tell the operator.`;
}
