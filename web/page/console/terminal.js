// @ts-check
// A terminal of one node: its text, its line and its history. `?` lists words, Tab completes.

import { h } from "../dom.js";

/** @import {App} from "../app" */
/** @import {ConsoleResult} from "../model" */

/** The maximum number of lines that a terminal keeps. */
const MOST_LINES = 4000;

/**
 * Returns a terminal.
 *
 * @param {string} node
 * @param {App} app
 */
export function createTerminal(node, app) {
  const { source } = app;
  const output = h("div", { class: "output", role: "log", "aria-label": `Output of ${node}` });
  const prompt = h("label", { class: "prompt", for: `line-${node}` }, `${node}>`);
  const line = h("input", {
    id: `line-${node}`,
    class: "line",
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    "aria-label": `Command for ${node}`,
  });
  const form = h("form", { class: "entry", onsubmit: enter }, prompt, line);
  const element = h("div", { class: "terminal", onclick: focusLine }, output, form);
  /** @type {string[]} */
  const history = [];
  let at = 0;
  /** Resolves when the router has answered all lines so far. So the lines are carried out in their order. */
  let answered = Promise.resolve();

  /**
   * @param {string} text
   * @param {string} [class_]
   */
  function print(text, class_ = "") {
    if (!text) return;
    output.append(h("pre", { class: class_ }, text.replace(/\n$/, "")));
    while (output.childElementCount > MOST_LINES) output.firstElementChild?.remove();
    element.scrollTop = element.scrollHeight;
  }

  /**
   * @param {string} text
   * @param {"enter" | "help" | "tab"} key
   * @returns {Promise<ConsoleResult | null>}
   */
  async function ask(text, key) {
    element.setAttribute("aria-busy", "true");
    try {
      const answer = await source.request("console", { node, line: text, key });
      if (answer.prompt) prompt.textContent = answer.prompt;
      return answer;
    } catch (error) {
      print(/** @type {Error} */ (error).message, "lost");
      return null;
    } finally {
      element.removeAttribute("aria-busy");
    }
  }

  /** @param {Event} event */
  function enter(event) {
    event.preventDefault();
    const text = line.value;
    line.value = "";
    answered = answered.then(() => carryOut(text));
  }

  /** @param {string} text */
  async function carryOut(text) {
    print(`${prompt.textContent}${text}`, "typed");
    if (text.trim() && history.at(-1) !== text) history.push(text);
    at = history.length;
    const answer = await ask(text, "enter");
    if (!answer) return;
    for (const debug of answer.debug ?? []) print(debug, "debug");
    print(answer.text, answer.ok ? "" : "refused");
    if (answer.closed) print(`The session has ended. The next line begins a new session.`, "faint");
    line.focus();
  }

  async function help() {
    const text = line.value;
    print(`${prompt.textContent}${text}?`, "typed");
    const answer = await ask(text, "help");
    if (answer) print(answer.text);
  }

  async function complete() {
    const text = line.value;
    const answer = await ask(text, "tab");
    const [word, ...others] = answer?.completions ?? [];
    if (word === undefined) return;
    if (others.length === 0) line.value = completed(text, word);
    else print([word, ...others].join("  "), "faint");
  }

  /** @param {number} by number of lines to go back or forward in the lines that were typed before */
  function recall(by) {
    at = Math.max(0, Math.min(history.length, at + by));
    line.value = history[at] ?? "";
  }

  line.addEventListener("keydown", (event) => {
    const act = keys(event);
    if (!act) return;
    event.preventDefault();
    act();
  });

  /**
   * @param {KeyboardEvent} event
   * @returns {(() => void) | null}
   */
  function keys(event) {
    if (event.ctrlKey) {
      const acts = { c: () => abandon("^C"), z: () => void end(), l: () => output.replaceChildren(), a: () => line.setSelectionRange(0, 0), u: () => (line.value = "") };
      return /** @type {any} */ (acts)[event.key.toLowerCase()] ?? null;
    }
    if (event.key === "?") return () => void help();
    // Tab on an empty line leaves the terminal. Otherwise a user without a mouse could not leave it.
    if (event.key === "Tab" && !event.shiftKey && line.value) return () => void complete();
    if (event.key === "ArrowUp") return () => recall(-1);
    if (event.key === "ArrowDown") return () => recall(1);
    return null;
  }

  /** @param {string} sign */
  function abandon(sign) {
    print(`${prompt.textContent}${line.value}${sign}`, "typed");
    line.value = "";
  }

  async function end() {
    abandon("^Z");
    const answer = await ask("end", "enter");
    if (answer && answer.ok) print(answer.text);
  }

  function focusLine() {
    if (!getSelection()?.toString()) line.focus({ preventScroll: true });
  }

  return {
    element,
    print,
    focus: () => line.focus(),
    /** Begins the session: its greeting and its prompt. */
    async begin() {
      const answer = await ask("", "enter");
      if (answer) print(answer.text);
    },
  };
}

/**
 * Returns a line with its last word completed.
 *
 * @param {string} text
 * @param {string} completion a word, or the whole line
 */
export function completed(text, completion) {
  const whole = completion.trimEnd();
  if (whole.toLowerCase().startsWith(text.trimStart().toLowerCase()) && whole.includes(" ")) return `${whole} `;
  const cut = text.search(/\S*$/);
  return `${text.slice(0, cut)}${whole} `;
}
