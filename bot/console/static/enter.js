// @ts-check
// The code stands behind the # of the address, where no server and no log sees it. A press on the button spends it.

const form = /** @type {HTMLFormElement} */ (document.getElementById('enter'));
const field = /** @type {HTMLInputElement} */ (document.getElementById('code'));
const next = /** @type {HTMLInputElement} */ (form.elements.namedItem('next')).value; // checked by the server

async function begin() {
  const code = location.hash.slice(1);
  if (code) {
    history.replaceState(null, '', location.pathname + location.search);
    field.value = code;
    form.querySelector('button')?.focus();
    return;
  }
  // A link on another site arrives here without our cookie. A request of our own page carries it.
  const sent = new URLSearchParams(location.search).has('next');
  const who = sent ? await fetch('/whoami').catch(() => null) : null;
  if (who?.ok) location.replace(next);
  else if (!field.value) field.focus();
}

addEventListener('hashchange', () => void begin());
void begin();
