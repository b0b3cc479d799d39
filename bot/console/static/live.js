// @ts-check
// The page's one line to the server: what happens is heard here, in order, and caught up with after a break.

import { say } from './dom.js';
import { goToTheDoor } from './forms.js';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const SILENT_MS = 2_000; // a shorter break is nobody's business
const SIGNED_OUT = 4401;
const REFUSED = 1008;

/** @typedef {{seq: number, topic: string, op?: string, id?: string, html?: string, [key: string]: unknown}} Message */

/** Follow the topics that the page names in `<meta name="live">`.
 * @param {{hear: (message: Message) => void, resync: () => Promise<void>}} page `hear` gets one message after the other; `resync`
 * fetches the page's lists again and rejects when it cannot
 * @returns {() => void} stops following */
export function follow(page) {
  const line = new Line(page);
  line.connect();
  addEventListener('online', () => line.hurry());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) line.hurry(); });
  addEventListener('pagehide', () => line.rest());
  addEventListener('pageshow', event => { if (event.persisted) line.connect(); });
  return () => line.rest();
}

class Line {
  /** @param {{hear: (message: Message) => void, resync: () => Promise<void>}} page */
  constructor(page) {
    const meta = /** @type {HTMLMetaElement} */ (document.querySelector('meta[name="live"]'));
    this.page = page;
    this.topics = meta.content;
    this.epoch = meta.dataset.epoch ?? '';
    this.after = meta.dataset.after ?? '';
    this.wait = FIRST_WAIT_MS;
    /** @type {WebSocket | null} */ this.socket = null;
    this.retry = 0;
    this.notice = 0;
    this.order = Promise.resolve();
  }

  connect() {
    clearTimeout(this.retry);
    this.retry = 0;
    const address = new URL('/live', location.href);
    address.protocol = location.protocol === 'https:' ? 'wss:' : 'ws:';
    address.search = String(new URLSearchParams({ topics: this.topics, after: this.after, epoch: this.epoch }));
    const socket = new WebSocket(address);
    this.socket = socket;
    let opened = false;
    let epoch = this.epoch;
    socket.onopen = () => { opened = true; };
    socket.onmessage = event => {
      const message = JSON.parse(event.data);
      if ('epoch' in message) {
        epoch = message.epoch;
        this.#back();
        return;
      }
      this.order = this.order.then(() => this.#handle(message, epoch)).catch(() => socket.close());
    };
    socket.onclose = event => { if (this.socket === socket) void this.#lost(event.code, opened); };
  }

  /** Connect at once if we are waiting to. */
  hurry() {
    if (this.retry) this.connect();
  }

  rest() {
    clearTimeout(this.retry);
    clearTimeout(this.notice);
    this.retry = 0;
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    // One that is being laid is closed once it stands: closed before, it would be an error on the console.
    if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close();
    else socket.close();
  }

  /** What we know is moved on only once the page shows it: a break in between is caught up with next time.
   * @param {Message & {resync?: boolean}} message @param {string} epoch */
  async #handle(message, epoch) {
    if (message.resync) await this.page.resync();
    else this.page.hear(message);
    this.after = String(message.seq);
    this.epoch = epoch;
  }

  #back() {
    clearTimeout(this.notice);
    this.notice = 0;
    this.wait = FIRST_WAIT_MS;
    if (show('')) say('Connected again.');
  }

  /** @param {number} code @param {boolean} opened */
  async #lost(code, opened) {
    if (code === SIGNED_OUT || (!opened && await signedOut())) return goToTheDoor();
    if (code === REFUSED) {
      show('Live updates stopped. Reload the page.');
      return undefined;
    }
    this.notice ||= setTimeout(() => show('Reconnecting…'), SILENT_MS);
    this.retry = setTimeout(() => this.connect(), this.wait * (0.75 + Math.random() / 2));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
    return undefined;
  }
}

/** Whether the sign-in ended: a socket that is refused does not tell why. @returns {Promise<boolean>} */
async function signedOut() {
  try {
    return (await fetch('/whoami')).status === 401;
  } catch {
    return false;
  }
}

/** Show a line above the page, or take it away. @param {string} words @returns {boolean} whether it changed anything */
function show(words) {
  const line = document.getElementById('line');
  if (!line || line.textContent === words) return false;
  line.textContent = words;
  return true;
}
