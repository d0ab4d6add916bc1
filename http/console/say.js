// What came of what somebody did: a line at the foot of the page, that screen readers speak. What went wrong stays until
// it is closed: it may be said nowhere else.

import {h} from "./dom.js";

const shown_ms = 8000;
const most_bad = 5;

const place = () => document.getElementById("messages");

export const say = (text, tone = "good") => {
  const line = h("p", {class: `note ${tone}`}, text);
  if (tone === "bad") {
    line.setAttribute("role", "alert");
    const close = h("button", {type: "button", class: "small", "aria-label": "Close this message"}, "Close");
    close.addEventListener("click", () => {
      line.remove();
      (place().querySelector("button") ?? document.getElementById("main")).focus({preventScroll: true});
    });
    line.append(" ", close);
    const bad = place().querySelectorAll(".bad");
    if (bad.length >= most_bad) bad[0].remove();
  } else {
    setTimeout(() => line.remove(), shown_ms);
  }
  place().append(line);
};

/** Nothing of what was said stays. */
export const hush = () => place().replaceChildren();

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
