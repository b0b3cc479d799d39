// @ts-check
// What opens above the page: the forms of commands, and the list of keys.

import { fragment, say } from './dom.js';

const KEYS_OFF = 'keys-off';

/** Open a form that the server rendered. It sends itself (forms.js) and stays open while there is a problem.
 * @param {string} html @param {HTMLElement | null} opener gets the focus back
 * @param {(answer: string, reopen: () => void) => void} [onSent] may open it again as it was filled in */
export function openForm(html, opener, onSent) {
  const dialog = /** @type {HTMLDialogElement} */ (fragment(html).querySelector('dialog'));
  const id = /** @type {HTMLInputElement} */ (dialog.querySelector('input[name="id"]'));
  const open = () => {
    id.value = crypto.randomUUID();
    document.body.append(dialog);
    dialog.showModal();
  };
  dialog.addEventListener('click', event => {
    const target = /** @type {Element} */ (event.target);
    if (target === dialog || target.closest('[data-dismiss]')) dialog.close();
  });
  dialog.addEventListener('form:sent', event => {
    dialog.close();
    say('Sent.');
    onSent?.(/** @type {CustomEvent<{text: string}>} */ (event).detail.text, open);
  });
  dialog.addEventListener('close', () => {
    dialog.remove();
    opener?.focus();
  });
  open();
}

/** `?` shows the keys, as the button does; it can be switched off there. */
export function watchKeys() {
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById('keys'));
  const use = /** @type {HTMLInputElement} */ (document.getElementById('use-keys'));
  use.checked = localStorage.getItem(KEYS_OFF) === null;
  use.addEventListener('change', () => {
    if (use.checked) localStorage.removeItem(KEYS_OFF);
    else localStorage.setItem(KEYS_OFF, '1');
  });
  document.getElementById('show-keys')?.addEventListener('click', () => dialog.showModal());
  dialog.addEventListener('click', event => { if (event.target === dialog) dialog.close(); });
  document.addEventListener('keydown', event => {
    const typing = /** @type {Element} */ (event.target).closest('input, textarea, select, dialog, [popover]');
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing && !event.repeat;
    if (event.key === '?' && plain && !typing && use.checked) dialog.showModal();
  });
}
