// Calls of the till's API. The token lives in this tab, or on this device where somebody wants that; never in an address.

const KEY = "tagtill-token";

/** What went wrong with a call: `problem` is the till's answer (RFC 9457), where there was one. */
export class ApiError extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || "The till does not answer.");
    this.status = status;
    this.problem = problem;
  }
  /** What is wrong with each field, by name. */
  get fields() {
    return Object.fromEntries((this.problem?.errors ?? []).map((one) => [one.field, one.detail]));
  }
}

/** Who is signed in. */
export const session = {
  get token() {
    return sessionStorage.getItem(KEY) ?? localStorage.getItem(KEY);
  },
  signIn(token, remember) {
    sessionStorage.setItem(KEY, token);
    if (remember) localStorage.setItem(KEY, token);
  },
  signOut(why) {
    sessionStorage.removeItem(KEY);
    localStorage.removeItem(KEY);
    dispatchEvent(new CustomEvent("signedout", { detail: why }));
  },
};

/** The raw answer of a call; throws an ApiError where it is none of success. */
export async function send(method, path, { body, signal, token = session.token, headers = {} } = {}) {
  const all = { ...headers };
  if (token) all.Authorization = `Bearer ${token}`;
  if (body !== undefined) all["Content-Type"] = "application/json";
  let answer;
  try {
    const text = body === undefined ? undefined : JSON.stringify(body);
    answer = await fetch(path, { method, body: text, signal, headers: all, cache: "no-store" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError(0, null);
  }
  if (answer.ok || answer.status === 304) return answer;
  const problem = await answer.json().catch(() => null);
  if (answer.status === 401 && token && token === session.token) {
    session.signOut("Your token is no longer known to the till: it expired or was revoked. Please sign in again.");
  }
  throw new ApiError(answer.status, problem);
}

/** The JSON of a call; null where there is none. */
export async function call(method, path, body, options = {}) {
  const answer = await send(method, path, { ...options, body });
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

export const get = (path, options) => call("GET", path, undefined, options);
/** Changes something once, however often the network fails: a key goes with it. */
export const post = (path, body = {}, options = {}) =>
  call("POST", path, body, { ...options, headers: { "Idempotency-Key": crypto.randomUUID?.() ?? `${Date.now()}-${Math.random()}` } });
export const patch = (path, body, options) => call("PATCH", path, body, options);
export const put = (path, body, options) => call("PUT", path, body, options);
export const del = (path, options) => call("DELETE", path, undefined, options);

/** `/v1/things?a=1` out of a path and an object; what is empty is left out. */
export function at(path, query = {}) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(name, value);
  }
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}
