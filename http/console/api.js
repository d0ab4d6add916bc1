// Requests to the node this page came from. A 401 asks for a token, once for all that wait, and the request is repeated.

import {ask_token} from "./dialogs.js";

const token_key = "kaiku-token";

/** What the node answered instead of what was asked for (RFC 9457), or that it did not answer (`status` 0). */
export class Problem extends Error {
  constructor(status, code, title, detail) {
    super(detail ? `${title}: ${detail}` : title);
    this.status = status;
    this.code = code;
  }
}

/** Who may do what, for the button in the header. `change` is called when it has. */
export const session = {
  token: sessionStorage.getItem(token_key),
  declined: false, // asked, and nothing was given: only the button asks again
  change: () => {},
};

let asking = null;

const sign_in_because = (why) => {
  asking ??= ask_token(why)
    .then((token) => {
      session.token = token;
      session.declined = token === null;
      if (token === null) sessionStorage.removeItem(token_key);
      else sessionStorage.setItem(token_key, token);
      session.change();
      return token !== null;
    })
    .finally(() => (asking = null));
  return asking;
};

export const sign_in = () => sign_in_because("This node answers only who shows a token.");

export const sign_out = () => {
  session.token = null;
  session.declined = true;
  sessionStorage.removeItem(token_key);
  session.change();
};

/** After a 401 to a request that was sent with `sent`: whether there is a reason to send it again. */
const may_repeat = (sent) => {
  if (session.token !== sent && session.token !== null) return true;
  if (session.declined) return false;
  return sign_in_because(
    sent === null ? "This node answers only who shows a token." : "The token is not known here, or has expired.",
  );
};

const problem_of = (status, status_text, body) => {
  try {
    const {code, title, detail} = JSON.parse(body);
    return new Problem(status, code, title, detail);
  } catch {
    return new Problem(status, "", `${status} ${status_text}`.trim(), "");
  }
};

const lost = () => new Problem(0, "unreachable", "The node does not answer", "");

/** A frozen node takes connections and says nothing: who only looks on does not wait for longer. */
export const patience_ms = 10000;

/** As `fetch`, but that the header of the answer has to be there in time. */
const fetch_within = async (ms, path, options) => {
  if (ms === null) return fetch(path, options);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), ms);
  try {
    return await fetch(path, {...options, signal: AbortSignal.any([late.signal, options.signal].filter(Boolean))});
  } finally {
    clearTimeout(timer);
  }
};

/** The answer to a request, when its status is below 400. `within_ms`: or it counts as none. Throws a `Problem`. */
export const send = async (method, path, {headers = {}, body = null, signal = null, within_ms = null} = {}) => {
  for (;;) {
    const sent = session.token;
    const all = new Headers(headers);
    if (sent !== null) all.set("Authorization", `Bearer ${sent}`);
    let answer;
    try {
      const options = {method, headers: all, body, signal, cache: "no-store", credentials: "omit"};
      answer = await fetch_within(within_ms, path, options);
    } catch (problem) {
      if (signal?.aborted) throw problem;
      throw lost();
    }
    if (answer.ok) return answer;
    const text = await answer.text();
    if (answer.status === 401 && (await may_repeat(sent))) continue;
    throw problem_of(answer.status, answer.statusText, text);
  }
};

export const get_json = async (path, options) => (await send("GET", path, {within_ms: patience_ms, ...options})).json();

/** A POST with a JSON body, or without one. Gives the answer. */
export const post = (path, document = null) =>
  send(
    "POST",
    path,
    document === null ? {} : {headers: {"Content-Type": "application/json"}, body: JSON.stringify(document)},
  );

/** PUTs a file. `progress(bytes)` tells how much has gone out; `signal` ends it. Gives the headers of the answer. */
export const upload = async (path, file, {headers = {}, progress = () => {}, signal = null} = {}) => {
  for (;;) {
    signal?.throwIfAborted(); // before it began, or while a token was asked for
    const sent = session.token;
    const request = new XMLHttpRequest();
    const ended = new Promise((done, failed) => {
      request.open("PUT", path);
      for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
      if (sent !== null) request.setRequestHeader("Authorization", `Bearer ${sent}`);
      request.upload.onprogress = (event) => progress(event.loaded);
      request.onload = done;
      request.onerror = () =>
        failed(new Problem(0, "unreachable", "It was not sent", "the node does not answer, or the file can't be read"));
      request.onabort = () => failed(new Problem(0, "cancelled", "Cancelled", ""));
    });
    const abort = () => request.abort();
    signal?.addEventListener("abort", abort);
    request.send(file);
    try {
      await ended;
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    if (request.status < 400) return {status: request.status, header: (name) => request.getResponseHeader(name)};
    if (request.status === 401 && (await may_repeat(sent))) continue;
    throw problem_of(request.status, request.statusText, request.responseText);
  }
};

/** `/files/...` of a path without a slash in front. */
export const file_url = (path) => `/files/${path.split("/").map(encodeURIComponent).join("/")}`;
