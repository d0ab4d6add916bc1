// What came of what somebody did: a line at the foot of the page, that screen readers speak.

import {h} from "./dom.js";

const shown_ms = 8000;

export const say = (text, tone = "good") => {
  const line = h("p", {class: `note ${tone}`}, text);
  document.getElementById("messages").append(line);
  setTimeout(() => line.remove(), shown_ms);
};

/** Does something of somebody's, and says so, or why not. Gives whether it went well. */
export const attempt = async (what, done) => {
  try {
    await what();
    if (done) say(done);
    return true;
  } catch (problem) {
    say(problem.message, "bad");
    return false;
  }
};
