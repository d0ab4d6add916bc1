// Questions that stand in front of everything else. Escape says no; the focus returns to where it was.

import {h} from "./dom.js";
import {visible} from "./format.js";

let last_id = 0;

/** Shows `content` and two buttons. Gives `read()` when it was agreed to, else null. */
const show = ({title, content, agree, danger = false, read = () => true, check = () => true}) =>
  new Promise((done) => {
    const id = `dialog-${++last_id}`;
    const yes = h("button", {type: "submit", class: danger ? "danger" : "primary"}, agree);
    const no = h("button", {type: "button", onclick: () => dialog.close()}, "Cancel");
    const form = h("form", null, h("h2", {id}, title), ...content, h("p", {class: "buttons"}, no, yes));
    const dialog = h("dialog", {"aria-labelledby": id}, form);
    let answer = null;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      if (!check()) return;
      answer = read();
      dialog.close();
    });
    const refresh = () => (yes.disabled = !check());
    form.addEventListener("input", refresh);
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(answer);
    });
    document.body.append(dialog);
    refresh();
    dialog.showModal();
    (form.querySelector("input") ?? no).focus();
  });

/** For what can't be taken back: `typed`, if given, has to be written out. Gives whether it was agreed to. */
export const confirm_action = async ({title, text, agree, danger = false, typed = null}) => {
  const input = typed === null ? null : h("input", {type: "text", autocomplete: "off", spellcheck: "false"});
  const content = [].concat(text).map((line) => h("p", null, line));
  if (input) content.push(h("label", null, h("span", null, "Type ", h("b", null, visible(typed)), " to confirm"), input));
  const check = () => {
    if (input === null || input.value === typed) return true;
    const given = input.value.trim(); // of blanks alone nothing would be left to compare
    return given !== "" && [typed, visible(typed)].some((name) => name.trim() === given);
  };
  return (await show({title, content, agree, danger, check})) === true;
};

/** Whether what stands at `name` may go. `text` says what becomes of it. */
export const confirm_replacement = (name, text) =>
  confirm_action({title: `Replace ${visible(name)}?`, agree: "Replace", danger: true, text});

/**
 * Does `change(headers)`. When something stands where it would write (412) it asks, and does it again over that. Gives
 * what `change` gave; null when everything was to stay as it is.
 */
export const change_or_replace = async (change, headers, name, text) => {
  try {
    return await change(headers);
  } catch (problem) {
    if (problem.status !== 412) throw problem;
    return (await confirm_replacement(name, text)) ? change({"If-Match": "*"}) : null;
  }
};

/** Asks for one line, and takes it as it is. Gives it, or null. */
export const ask_text = ({title, label, text = null, value = "", agree}) => {
  const input = h("input", {type: "text", value, autocomplete: "off", spellcheck: "false", required: true});
  const content = [text && h("p", null, text), h("label", null, h("span", null, label), input)].filter(Boolean);
  return show({title, content, agree, read: () => input.value, check: () => input.value.trim() !== ""});
};

/** Asks for a token. Gives it, or null. */
export const ask_token = (why) => {
  const input = h("input", {type: "password", autocomplete: "off", spellcheck: "false", required: true});
  const content = [
    h("p", null, why),
    h("label", null, h("span", null, "Token"), input),
    h(
      "p",
      {class: "hint"},
      "It stays in this tab until the tab is closed. Watching needs the scope metrics; single actors, traces and changes need admin; files need read and write.",
    ),
  ];
  return show({
    title: "Sign in",
    content,
    agree: "Sign in",
    read: () => input.value.trim(),
    check: () => /^[\x21-\x7e]+$/.test(input.value.trim()), // what a header may hold
  });
};
