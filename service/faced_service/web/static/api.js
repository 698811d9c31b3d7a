// Calls to the server, with the token that this tab holds.
const KEY = "faced-token";

export const token = () => sessionStorage.getItem(KEY);
// Whoever was refused without one hears of it.
export function keepToken(value) {
  sessionStorage.setItem(KEY, value);
  dispatchEvent(new Event("token"));
}
export const forgetToken = () => sessionStorage.removeItem(KEY);

export class Refused extends Error {
  constructor(status, { error, message, retry_after_s: retryAfter }) {
    super(message);
    Object.assign(this, { status, reason: error, retryAfter });
  }
}

export async function call(path, options = {}) {
  const headers = { ...options.headers };
  if (token()) headers.authorization = `Bearer ${token()}`;
  const response = await fetch(path, { ...options, headers });
  if (response.ok) return response.json();
  throw new Refused(response.status, await response.json().catch(() => ({ error: "unknown", message: `The server answered ${response.status}.` })));
}
