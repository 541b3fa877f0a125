// Presses of a pointer. What moves the page under one would take it away from what it was aimed at: the
// button is released over something else, and the browser makes no click of it.

let over = Promise.resolve();

/** Resolves when no pointer is held down, and the click that its release makes has been heard. */
export const pressOver = () => over;

addEventListener("pointerdown", () => {
  over = new Promise((resolve) => {
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      setTimeout(resolve);
    };
    for (const event of ["pointerup", "pointercancel"]) addEventListener(event, end, { capture: true, signal: ended.signal });
  });
}, true);
