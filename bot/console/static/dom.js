// @ts-check
// Nodes from our own templates, and changes that keep what a person has before them: focus, drafts, scroll.

const policy = globalThis.trustedTypes?.createPolicy('flashbulb', { createHTML: text => text }) ?? { createHTML: text => text };

/** Turn a fragment rendered by our own templates into nodes; nothing else may call it.
 * @param {string} text @returns {DocumentFragment} */
export function fragment(text) {
  const template = document.createElement('template');
  template.innerHTML = /** @type {string} */ (/** @type {unknown} */ (policy.createHTML(text)));
  return template.content;
}

/** Tell screen readers one sentence.
 * @param {string} text */
export function say(text) {
  const region = document.getElementById('say');
  if (region) region.textContent = region.textContent === text ? `${text}\u00a0` : text; // the same words twice are heard once
}

/** Insert the element with this id, or replace it where it stands.
 * @param {string} id @param {string} html @param {Element} list where a new one belongs
 * @param {Element | null} [before] its next sibling there; without it the new one comes last
 * @returns {Element} the element as it stands now */
export function put(id, html, list, before = null) {
  const next = fragment(html).firstElementChild;
  if (!next) throw new Error('empty fragment');
  const old = document.getElementById(id);
  if (!old) {
    list.insertBefore(next, before);
    return next;
  }
  return replace(old, next);
}

/** Make a list show what a new rendering of it shows, element by element.
 * @param {Element} list @param {string} html its children, each with an id */
export function refresh(list, html) {
  const wanted = [...fragment(html).children];
  const ids = new Set(wanted.map(child => child.id));
  for (const child of [...list.children]) if (!ids.has(child.id)) child.remove();
  let place = list.firstElementChild;
  for (const next of wanted) {
    const old = [...list.children].find(child => child.id === next.id);
    const now = old ? replace(old, next) : next;
    if (old === place && old) place = now.nextElementSibling;
    else list.insertBefore(now, place);
  }
}

/** Change something in a scrolling region and stay at its end if one was there (within 80 px).
 * @param {Element} scroller @param {() => void} change */
export function stick(scroller, change) {
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  change();
  if (atEnd) scroller.scrollTop = scroller.scrollHeight;
}

/** @param {Element} old @param {Element} next @returns {Element} */
function replace(old, next) {
  if (old.isEqualNode(next)) return old;
  carryDrafts(old, next);
  const held = old.contains(document.activeElement) ? document.activeElement : null;
  const twin = held && (held === old ? next : twinOf(held, old, next));
  const caret = held instanceof HTMLTextAreaElement ? held.selectionStart : null;
  old.replaceWith(next);
  if (twin instanceof HTMLElement) {
    twin.focus({ preventScroll: true });
    if (twin instanceof HTMLTextAreaElement && caret !== null) twin.setSelectionRange(caret, caret);
  }
  return next;
}

/** What in `next` stands for `element` of `old`: the same id, the same name, else the same place among what can be pressed.
 * @param {Element} element @param {Element} old @param {Element} next @returns {Element | null} */
function twinOf(element, old, next) {
  for (const key of ['id', 'name']) {
    const value = element.getAttribute(key);
    const twin = value && next.querySelector(`[${key}="${CSS.escape(value)}"]`);
    if (twin) return twin;
  }
  const pressable = 'a[href], button, input, textarea, select, summary, [tabindex]';
  const place = [...old.querySelectorAll(pressable)].indexOf(element);
  return next.querySelectorAll(pressable)[place] ?? (next.matches(pressable) ? next : null);
}

/** @param {Element} old @param {Element} next */
function carryDrafts(old, next) {
  for (const field of old.querySelectorAll('textarea[name], input[name]:not([type])')) {
    const draft = /** @type {HTMLTextAreaElement} */ (field);
    const twin = next.querySelector(`[name="${CSS.escape(draft.name)}"]`);
    if (draft.value !== draft.defaultValue && twin) /** @type {HTMLTextAreaElement} */ (twin).value = draft.value;
  }
  const opened = [...old.querySelectorAll('details')].map(details => details.open);
  next.querySelectorAll('details').forEach((details, place) => { details.open ||= opened[place] ?? false; });
}
