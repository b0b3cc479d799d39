// @ts-check
// The list of commands above a text field: it opens with a slash at the start, the arrows move, Enter or Tab takes one.

import { say } from './dom.js';

const BEGINNING = /^\/[a-z]*$/;

export class CommandList {
  /** @param {HTMLFormElement} form @param {HTMLTextAreaElement} text */
  constructor(form, text) {
    this.text = text;
    this.list = /** @type {HTMLElement} */ (form.querySelector('[role="listbox"]'));
    this.options = /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll('[role="option"]')]);
    this.dismissed = false;
    // Not `click`: the text field must keep the focus.
    this.list.addEventListener('mousedown', event => {
      event.preventDefault();
      const option = /** @type {HTMLElement} */ (event.target).closest('[role="option"]');
      if (option) this.#choose(/** @type {HTMLElement} */ (option));
    });
    text.addEventListener('blur', () => this.close());
  }

  /** Follow what the text field holds now. */
  update() {
    const typed = this.text.value;
    this.dismissed &&= BEGINNING.test(typed);
    const fitting = BEGINNING.test(typed) && !this.dismissed ? this.options.filter(each => lineOf(each).startsWith(typed)) : [];
    const wasClosed = this.list.hidden;
    for (const option of this.options) option.hidden = !fitting.includes(option);
    this.list.hidden = fitting.length === 0;
    this.#point(fitting.includes(/** @type {HTMLElement} */ (this.current)) ? this.current : fitting[0] ?? null);
    if (wasClosed && fitting.length) say(`${fitting.length} commands. Up and down to choose, Enter to take one.`);
  }

  /** Use a key if it is meant for the list. @param {KeyboardEvent} event @returns {boolean} whether it was */
  take(event) {
    if (this.list.hidden || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return false;
    const current = this.current;
    if (event.key === 'Escape') {
      this.dismissed = true;
      event.stopPropagation();
      this.close();
    } else if (event.key === 'ArrowDown') this.#move(1);
    else if (event.key === 'ArrowUp') this.#move(-1);
    // Typed in full already, so that Enter sends it.
    else if (event.key === 'Enter' && current && lineOf(current) !== this.text.value) this.#choose(current);
    else if (event.key === 'Tab' && current) this.#choose(current);
    else return false;
    event.preventDefault();
    return true;
  }

  /** @returns {HTMLElement | null} */
  get current() {
    return this.options.find(each => each.getAttribute('aria-selected') === 'true') ?? null;
  }

  /** @param {number} by */
  #move(by) {
    const open = this.options.filter(each => !each.hidden);
    const place = open.indexOf(/** @type {HTMLElement} */ (this.current));
    this.#point(open[(place + by + open.length) % open.length] ?? null);
  }

  /** @param {HTMLElement | null} option */
  #point(option) {
    for (const each of this.options) each.setAttribute('aria-selected', String(each === option));
    if (option) this.text.setAttribute('aria-activedescendant', option.id);
    else this.text.removeAttribute('aria-activedescendant');
    option?.scrollIntoView({ block: 'nearest' });
  }

  /** @param {HTMLElement} option */
  #choose(option) {
    this.text.value = `${lineOf(option)} `;
    this.text.dispatchEvent(new Event('input', { bubbles: true }));
    this.text.focus();
  }

  close() {
    this.list.hidden = true;
    this.#point(null);
  }
}

/** @param {HTMLElement} option */
function lineOf(option) {
  return `/${option.dataset.name}`;
}
