// @ts-check
// Where one writes: text that grows, files by choice, drop and paste, commands with hints, and a draft that is never lost.

import { CommandList } from './commands.js';
import { say } from './dom.js';
import { post, Refusal, tooMuch } from './forms.js';

const GROWS_BY_ITSELF = CSS.supports('field-sizing', 'content');

const OFFERED_CHARS = 40;

/** `words`: the id of what is said in place of following a command.
 * @typedef {{message?: string, thread?: string | null, form?: string, words?: string | null}} Sent */
/** @typedef {{text: string, files: File[]}} Written */

export class Composer {
  /** @param {HTMLFormElement} form @param {(sent: Sent, giveBack: () => void) => void} onSent */
  constructor(form, onSent) {
    this.form = form;
    this.onSent = onSent;
    this.text = /** @type {HTMLTextAreaElement} */ (form.querySelector('textarea'));
    this.input = /** @type {HTMLInputElement} */ (form.querySelector('input[type="file"]'));
    this.chips = /** @type {HTMLElement} */ (form.querySelector('.chips'));
    this.problem = /** @type {HTMLElement} */ (form.querySelector('[data-problem]'));
    this.progress = /** @type {HTMLProgressElement} */ (form.querySelector('progress'));
    this.cancel = /** @type {HTMLButtonElement} */ (form.querySelector('[data-cancel]'));
    this.back = /** @type {HTMLButtonElement} */ (form.querySelector('[data-back]'));
    this.commands = new CommandList(form, this.text);
    /** @type {Written | null} */ this.offered = null;
    /** @type {{file: File, chip: HTMLElement, url: string}[]} */ this.files = [];
    this.id = ''; // of what would be sent now: the same until it changes, so that sending it again adds nothing
    this.sending = false;
    this.draft = `draft:${form.getAttribute('action')}:${form.dataset.thread ?? ''}`;
    this.text.value ||= sessionStorage.getItem(this.draft) ?? '';
    this.#listen();
    this.#grow();
  }

  focus() {
    this.text.focus();
  }

  /** @param {string} text */
  fill(text) {
    this.text.value = text;
    this.#changed();
    this.focus();
  }

  /** Put back what was not taken, so that it can be mended: behind a button while something else is being written.
   * @param {Written} written */
  giveBack(written) {
    if (!this.form.isConnected) { // its thread was closed; the next one finds the draft
      sessionStorage.setItem(this.draft, sessionStorage.getItem(this.draft) || written.text);
    } else if (this.sending || this.text.value || this.files.length) this.#offer(written);
    else {
      this.#restore(written);
      say('What you wrote is back where you write.');
    }
  }

  /** @param {Written | null} written */
  #offer(written) {
    this.offered = written;
    this.back.hidden = written === null;
    const text = written?.text ?? '';
    this.back.textContent = `Bring back: ${text.length > OFFERED_CHARS ? `${text.slice(0, OFFERED_CHARS)}…` : text}`;
  }

  /** @param {Written} written */
  #restore({ text, files }) {
    this.#empty();
    this.text.value = text;
    this.files = files.map(each => this.#chipFor(each));
    this.chips.append(...this.files.map(each => each.chip));
    this.#changed();
    this.commands.close(); // it is no longer being chosen
  }

  /** Change what was not taken for what is being written now. */
  #swap() {
    if (this.sending || !this.offered) return;
    const now = this.#written(), back = this.offered;
    this.#offer(now.text || now.files.length ? now : null);
    this.#restore(back);
    this.focus();
  }

  /** @returns {Written} */
  #written() {
    return { text: this.text.value, files: this.files.map(each => each.file) };
  }

  /** @param {Iterable<File>} more */
  add(more) {
    if (this.sending) return;
    const files = [...more];
    const refused = tooMuch([...this.files.map(each => each.file), ...files], this.input);
    this.#complain(refused);
    if (refused || !files.length) return;
    for (const file of files) this.files.push(this.#chipFor(file));
    this.chips.append(...this.files.map(each => each.chip));
    this.#changed();
    say(`${this.files.length} ${this.files.length === 1 ? 'file' : 'files'} attached.`);
    this.focus();
  }

  #listen() {
    const { form, text, input } = this;
    form.addEventListener('submit', event => { event.preventDefault(); void this.#send(); });
    this.back.addEventListener('click', () => this.#swap());
    form.querySelector('[data-attach]')?.addEventListener('click', () => input.click());
    form.querySelector('[data-slash]')?.addEventListener('click', () => this.fill(text.value || '/'));
    input.addEventListener('change', () => { this.add(input.files ?? []); input.value = ''; });
    text.addEventListener('input', () => this.#changed());
    text.addEventListener('keydown', event => this.#onKey(event));
    text.addEventListener('paste', event => {
      const files = event.clipboardData?.files;
      if (!files?.length) return;
      event.preventDefault();
      this.add(files);
    });
  }

  /** @param {KeyboardEvent} event */
  #onKey(event) {
    if (event.isComposing || this.commands.take(event)) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (!event.repeat) void this.#send();
    }
  }

  #changed() {
    this.id = '';
    this.#complain('');
    this.chips.hidden = this.files.length === 0;
    sessionStorage.setItem(this.draft, this.text.value);
    this.commands.update();
    this.#grow();
  }

  #grow() {
    if (GROWS_BY_ITSELF) return;
    this.text.style.height = 'auto';
    this.text.style.height = `${this.text.scrollHeight}px`;
  }

  async #send() {
    if (this.sending || (!this.text.value.trim() && !this.files.length)) return;
    this.id ||= crypto.randomUUID();
    const body = new FormData();
    body.set('id', this.id);
    body.set('text', this.text.value);
    body.set('thread', this.form.dataset.thread ?? '');
    for (const { file } of this.files) body.append('file', file, file.name);
    const sent = await this.#sent(body);
    if (!sent) return;
    const written = this.#written();
    this.#clear();
    this.onSent(sent, () => this.giveBack(written));
  }

  /** @param {FormData} body @returns {Promise<Sent | null>} null where it was not taken, which is said then */
  async #sent(body) {
    this.#busy(true);
    try {
      return JSON.parse((await this.#post(body)).text);
    } catch (error) {
      this.#complain(error instanceof Refusal ? error.message : 'Something went wrong on this page. Reload it.');
      return null;
    } finally {
      this.#busy(false);
    }
  }

  /** @param {FormData} body */
  async #post(body) {
    const stop = new AbortController();
    const abort = () => stop.abort();
    this.cancel.addEventListener('click', abort);
    try {
      const progress = (/** @type {number} */ done) => { this.progress.value = done; };
      return await post(this.form.action, body, { progress, signal: stop.signal });
    } finally {
      this.cancel.removeEventListener('click', abort);
    }
  }

  /** @param {boolean} on */
  #busy(on) {
    this.sending = on;
    this.form.setAttribute('aria-busy', String(on));
    if (on) this.commands.close();
    this.form.querySelector('.send')?.setAttribute('aria-disabled', String(on));
    this.text.readOnly = on; // not `disabled`, which would throw the focus away
    const uploads = on && this.files.length > 0;
    if (!uploads && document.activeElement === this.cancel) this.focus();
    this.progress.hidden = this.cancel.hidden = !uploads;
    this.progress.value = 0;
    if (on) this.#complain('');
  }

  #empty() {
    for (const { chip, url } of this.files) {
      URL.revokeObjectURL(url);
      chip.remove();
    }
    this.files = [];
    this.text.value = '';
  }

  #clear() {
    this.#empty();
    this.#changed();
    sessionStorage.removeItem(this.draft);
  }

  /** @param {string} words */
  #complain(words) {
    this.problem.textContent = words;
  }

  /** @param {File} file */
  #chipFor(file) {
    const chip = document.createElement('li');
    chip.className = 'attached';
    const url = file.type.startsWith('image/') ? URL.createObjectURL(file) : '';
    if (url) {
      const picture = document.createElement('img');
      picture.src = url;
      picture.alt = '';
      picture.onerror = () => picture.remove();
      chip.append(picture);
    }
    const name = document.createElement('bdi');
    name.textContent = file.name;
    const remove = document.createElement('button');
    remove.type = 'button';
    remove.className = 'icon-button';
    const cross = document.createElement('span');
    cross.textContent = '×';
    cross.setAttribute('aria-hidden', 'true');
    const words = document.createElement('span');
    words.className = 'say';
    words.textContent = `Remove ${file.name}`;
    remove.append(cross, words);
    remove.addEventListener('click', () => this.#remove(chip));
    chip.append(name, remove);
    return { file, chip, url };
  }

  /** @param {HTMLElement} chip */
  #remove(chip) {
    if (this.sending) return;
    URL.revokeObjectURL(this.files.find(each => each.chip === chip)?.url ?? '');
    this.files = this.files.filter(each => each.chip !== chip);
    chip.remove();
    this.#changed();
    this.focus();
  }
}

/** Let files be dropped anywhere on `area`. @param {HTMLElement} area @param {() => Composer | null} composer */
export function takeDrops(area, composer) {
  let depth = 0;
  const hasFiles = (/** @type {DragEvent} */ event) => event.dataTransfer?.types.includes('Files') && composer() !== null;
  const mark = (/** @type {number} */ now) => { depth = Math.max(0, now); area.classList.toggle('dropping', depth > 0); };
  area.addEventListener('dragenter', event => { if (hasFiles(event)) mark(depth + 1); });
  area.addEventListener('dragleave', event => { if (hasFiles(event)) mark(depth - 1); });
  area.addEventListener('dragover', event => { if (hasFiles(event)) event.preventDefault(); });
  area.addEventListener('drop', event => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    mark(0);
    composer()?.add(event.dataTransfer?.files ?? []);
  });
}
