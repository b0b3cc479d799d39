// @ts-check
// What Flashbulb says to somebody alone about what they did, once it stands in the page.

const AWAITED = 5; // the last ones: of what went well nothing is said

/** @type {Map<string, (message: HTMLElement) => void>} */ const awaited = new Map();

/** Call `then` once the message with this id is there; it may be already. @param {string} id @param {(message: HTMLElement) => void} then */
export function onAnswer(id, then) {
  awaited.set(id, then);
  for (const oldest of [...awaited.keys()].slice(0, -AWAITED)) awaited.delete(oldest);
  findAnswers();
}

/** Look which of them are there by now. */
export function findAnswers() {
  for (const [id, then] of awaited) {
    const message = document.getElementById(`m-${id}`) ?? document.getElementById(`t-${id}`);
    if (!message) continue;
    awaited.delete(id);
    then(message);
  }
}
