// @ts-check
// Asks before something is done: every button with `data-ask` opens the page's one dialog.

const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById('confirm'));
const form = /** @type {HTMLFormElement | null} */ (dialog?.querySelector('form') ?? null);

/** @param {HTMLElement} button `data-ask`: where it is sent; `data-says`: what is asked */
function ask(button) {
  if (!dialog || !form) return;
  form.action = button.dataset.ask ?? '';
  const says = form.querySelector('[data-says]');
  if (says) says.textContent = button.dataset.says ?? '';
  const problem = form.querySelector('[data-problem]');
  if (problem) problem.textContent = '';
  /** @type {HTMLInputElement} */ (form.elements.namedItem('id')).value = crypto.randomUUID();
  dialog.showModal(); // closed, the focus returns to the button
}

document.addEventListener('click', event => {
  const target = /** @type {Element} */ (event.target);
  const button = /** @type {HTMLElement | null} */ (target.closest('[data-ask]'));
  if (button) ask(button);
  if (target === dialog || target.closest('[data-dismiss]')) dialog?.close();
});
// The answer leads to a page, which forms.js follows; to the same address it does not, so that it is looked at anew.
form?.addEventListener('form:sent', () => location.reload());
