// Figures as people read them. What is not known is a dash.

export const unknown = "–";

const known = (value) => value !== null && value !== undefined;
const whole = new Intl.NumberFormat("en");

export const count = (n) => (known(n) ? whole.format(n) : unknown);

export const bytes = (n) => {
  if (!known(n)) return unknown;
  let value = n;
  for (const unit of ["B", "KiB", "MiB", "GiB", "TiB"]) {
    if (value < 1024 || unit === "TiB")
      return `${unit === "B" || value >= 100 ? Math.round(value) : value.toFixed(1)} ${unit}`;
    value /= 1024;
  }
};

/** A count per second. */
export const rate = (x) => {
  if (!known(x)) return unknown;
  if (x === 0) return "0";
  return x < 10 ? x.toFixed(1) : whole.format(Math.round(x));
};

export const share = (x) => (known(x) ? `${(x * 100).toFixed(x < 0.1 ? 1 : 0)} %` : unknown);

export const micros = (us) => {
  if (!known(us)) return unknown;
  if (us < 1000) return `${Math.round(us)} µs`;
  if (us < 1e6) return `${(us / 1e3).toFixed(us < 1e4 ? 2 : 1)} ms`;
  return `${(us / 1e6).toFixed(2)} s`;
};

export const millis = (ms) => {
  if (!known(ms)) return unknown;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return duration(ms);
};

/** Of a while: `3 s`, `2 min`, `5 h`, `3 d`. */
export const duration = (ms) => {
  const seconds = Math.max(0, ms / 1000);
  if (seconds < 100) return `${Math.round(seconds)} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
};

let behind_ms = 0;
/** What time it is for the node, at this moment: the reader's own clock may be wrong. */
export const set_clock = (at) => (behind_ms = Date.parse(at) - Date.now());
export const now_there = () => Date.now() + behind_ms;

export const since = (at) => (known(at) ? `${duration(now_there() - Date.parse(at))} ago` : unknown);
export const lasted = (at) => (known(at) ? duration(now_there() - Date.parse(at)) : unknown);

const two = (n) => String(n).padStart(2, "0");

/** The time of day where the reader is. */
export const clock = (at, with_millis = false) => {
  if (!known(at)) return unknown;
  const d = new Date(at);
  const text = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
  return with_millis ? `${text}.${String(d.getMilliseconds()).padStart(3, "0")}` : text;
};

export const date = (at) => {
  if (!known(at)) return unknown;
  const d = new Date(at);
  return `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())} ${two(d.getHours())}:${two(d.getMinutes())}`;
};

/**
 * A name as it is, but that characters which are not seen, or turn the direction of what follows, stand there by their
 * number; the joiners that scripts and emoji need do not.
 */
export const visible = (name) =>
  name.replace(/(?![\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (one) => `[U+${one.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}]`);

/** Percent-decoded; as it stands when it can't be. */
export const decoded = (text) => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

/** `election_won` as `election won`. */
export const words = (name) => name.replaceAll("_", " ");
