// @ts-check
// Single keys, for those who use them: never within a field or a dialog, and once for each press.

const TYPING = 'input, textarea, select, [contenteditable], dialog, [popover]';
const PRESSABLE = 'button, a[href], summary'; // Space and Enter press these themselves

/** Have single keys do something from now on.
 * @param {Record<string, () => void>} actions by the key, letters in lower case; `Escape` works also where letters are off */
export function watchLetters(actions) {
  document.addEventListener('keydown', event => {
    const target = /** @type {Element} */ (event.target);
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.isComposing;
    if (!(key in actions) || !plain || event.defaultPrevented || target.closest(TYPING)) return;
    if (document.querySelector('dialog[open]')) return;
    if ((key === ' ' || key === 'Enter') && target.closest(PRESSABLE)) return;
    if (key !== 'Escape' && !inUse()) return;
    event.preventDefault();
    if (!event.repeat) actions[key]?.(); // a key that is held decides one case, not all that follow
  });
  const use = document.getElementById('use-keys');
  const mark = () => document.documentElement.classList.toggle('keys-off', !inUse());
  use?.addEventListener('change', mark);
  mark();
}

/** Whether single keys are used here: the list of keys says so, and remembers it. @returns {boolean} */
function inUse() {
  const use = /** @type {HTMLInputElement | null} */ (document.getElementById('use-keys'));
  return use?.checked ?? false;
}
