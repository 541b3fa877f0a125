// What handing on an event takes of the host, in one crossing each.

/** Posts a body once, with headers as lines of names and values in turn; gives the status. */
export async function post(url, lines, body, timeout) {
  const texts = lines.split("\n");
  const headers = new Headers();
  for (let i = 0; i + 1 < texts.length; i += 2) headers.set(texts[i], texts[i + 1]);
  const signal = AbortSignal.timeout(timeout);
  const response = await fetch(url, { method: "POST", headers, body, redirect: "manual", signal });
  await response.body?.cancel();
  return response.status;
}

export function pause(millis) {
  return new Promise((resolve) => setTimeout(resolve, millis));
}

/** A consumer gets the event as an object. */
export async function sendToQueue(queue, event) {
  await queue.send(JSON.parse(event), { contentType: "json" });
}
