// @ts-check
// The menu of a message: opens beside its button, moves with the arrows, goes away with Escape or a press elsewhere.

const GAP_PX = 4;

/** @typedef {{command: string, label: string}} Entry */

/** Let every `[data-menu]` open the menu. @param {(url: string, opener: HTMLElement) => void} choose */
export function watchMenus(choose) {
  const menu = /** @type {HTMLElement} */ (document.getElementById('message-menu'));
  /** @type {HTMLElement | null} */ let opener = null;
  /** @type {HTMLElement | null} */ let closing = null; // the button whose menu this very press closes

  document.addEventListener('pointerdown', event => {
    const isOpen = menu.matches(':popover-open');
    closing = isOpen && opener?.contains(/** @type {Node} */ (event.target)) ? opener : null;
  }, true);
  document.addEventListener('click', event => {
    const button = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest('[data-menu]'));
    const again = button === closing;
    closing = null;
    if (!button || again) return;
    opener = button;
    fill(menu, button, choose);
    menu.showPopover();
    beside(menu, button);
    button.setAttribute('aria-expanded', 'true');
    /** @type {HTMLElement | null} */ (menu.firstElementChild)?.focus();
  });
  menu.addEventListener('toggle', event => {
    if (/** @type {ToggleEvent} */ (event).newState !== 'closed') return;
    opener?.setAttribute('aria-expanded', 'false');
    opener = null;
  });
  menu.addEventListener('click', event => {
    if (!/** @type {Element} */ (event.target).closest('[role="menuitem"]')) return;
    const from = opener;
    menu.hidePopover();
    from?.focus();
  }, true); // first of all, so that what the item opens has the focus in the end
  menu.addEventListener('keydown', event => {
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      const from = opener;
      menu.hidePopover();
      from?.focus();
    } else move(menu, event);
  });
}

/** @param {HTMLElement} menu @param {HTMLElement} button @param {(url: string, opener: HTMLElement) => void} choose */
function fill(menu, button, choose) {
  const entries = /** @type {Entry[]} */ (JSON.parse(button.dataset.shortcuts ?? '[]'));
  const thread = /** @type {HTMLElement | null} */ (button.parentElement?.querySelector('[data-open-thread]'));
  const reply = thread ? [itemFor('Reply in a thread', () => thread.click())] : [];
  const rest = entries.map(({ command, label }) => itemFor(label, () => choose(`${button.dataset.menu}${command}`, button)));
  menu.replaceChildren(...reply, ...rest);
}

/** @param {string} label @param {() => void} act */
function itemFor(label, act) {
  const item = document.createElement('button');
  item.type = 'button';
  item.setAttribute('role', 'menuitem');
  item.tabIndex = -1;
  item.textContent = label;
  item.addEventListener('click', act);
  return item;
}

/** @param {HTMLElement} menu @param {HTMLElement} button */
function beside(menu, button) {
  const { top, bottom, right } = button.getBoundingClientRect();
  const below = bottom + GAP_PX + menu.offsetHeight <= innerHeight;
  menu.style.top = `${below ? bottom + GAP_PX : Math.max(0, top - GAP_PX - menu.offsetHeight)}px`;
  menu.style.left = `${Math.max(GAP_PX, right - menu.offsetWidth)}px`;
}

/** @param {HTMLElement} menu @param {KeyboardEvent} event */
function move(menu, event) {
  const items = /** @type {HTMLElement[]} */ ([...menu.children]);
  const place = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
  const to = { ArrowDown: place + 1, ArrowUp: place - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  items[(to + items.length) % items.length]?.focus();
}
