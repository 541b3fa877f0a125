// What a rate limit takes of the host, in one crossing each.

/** Counts one more for a key; whether it is within the limit. */
export async function count(env, binding, key) {
  return (await env[binding].limit({ key })).success;
}

/** The address that Cloudflare saw the request come from. */
export function clientAddress(request) {
  return request.headers.get("CF-Connecting-IP") ?? undefined;
}
