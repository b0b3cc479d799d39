// @ts-check
// What every page does: sends its forms, and remembers the colours that were chosen.

import { sendForms } from './forms.js';

const A_YEAR_S = 31_536_000;

function chooseTheme() {
  document.getElementById('theme')?.addEventListener('change', event => {
    const chosen = /** @type {HTMLInputElement} */ (event.target).value;
    document.cookie = `flashbulb_theme=${chosen}; Path=/; SameSite=Strict; Max-Age=${chosen ? A_YEAR_S : 0}`;
    if (chosen) document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
  });
}

function closeMenuOutside() {
  const menu = /** @type {HTMLDetailsElement | null} */ (document.querySelector('.me'));
  document.addEventListener('click', event => {
    if (menu?.open && !menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
  });
  document.addEventListener('keydown', event => {
    if (event.key !== 'Escape' || !menu?.open) return;
    menu.open = false;
    menu.querySelector('summary')?.focus();
  });
}

/** On a small screen the bar at the bottom scrolls, and the entry of this page may lie beyond its edge. */
function showCurrentPlace() {
  document.querySelector('.places [aria-current="page"]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
}

sendForms();
chooseTheme();
closeMenuOutside();
showCurrentPlace();
