// Questions that stand in front of everything else. Escape says no; the focus returns to where it was.

import {h} from "./dom.js";

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
  if (input) content.push(h("label", null, h("span", null, "Type ", h("b", null, typed), " to confirm"), input));
  const check = () => input === null || input.value.trim() === typed;
  return (await show({title, content, agree, danger, check})) === true;
};

/** Asks for one line. Gives it, or null. */
export const ask_text = ({title, label, text = null, value = "", agree}) => {
  const input = h("input", {type: "text", value, autocomplete: "off", spellcheck: "false", required: true});
  const content = [text && h("p", null, text), h("label", null, h("span", null, label), input)].filter(Boolean);
  return show({title, content, agree, read: () => input.value.trim(), check: () => input.value.trim() !== ""});
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
      "It stays in this tab until the tab is closed. Watching needs the scope metrics; messages, traces and changes need admin; files need read and write.",
    ),
  ];
  return show({
    title: "Sign in",
    content,
    agree: "Sign in",
    read: () => input.value.trim(),
    check: () => input.value.trim() !== "",
  });
};
