// @ts-check
// Lessons: prose, tasks that are marked when they are done, and hints that are shown after a click.

import { h } from "../dom.js";
import { markdown } from "./markdown.js";

/** @import {App} from "../app" */
/** @import {Lesson, LessonTask} from "../model" */

/** The pause between two checks of the tasks, in milliseconds. */
const PAUSE = 700;

/**
 * Builds the lessons below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  const { store, source } = app;
  const title = h("h2", {}, "Lessons");
  const chooser = h("select", { "aria-label": "Lesson", hidden: true, onchange: () => load(chooser.value) });
  const close = h("button", { type: "button", "aria-label": "Close the lesson", onclick: () => app.open("lessons", false) }, "×");
  const content = h("div", { class: "lesson" });
  root.replaceChildren(h("div", { class: "head" }, title, chooser, close), content);

  /** @type {Lesson | null} */
  let lesson = null;
  /** @type {boolean[]} */
  let met = [];
  /** @type {HTMLElement[]} */
  let tasks = [];
  let asked = false;
  let checking = false;
  let checkedAt = 0;
  let seen = "";
  /** Whether the lab is prepared for the lesson. */
  let begun = true;
  const begin = h("button", { type: "button", class: "plain primary", onclick: () => void prepare() }, "Begin the lesson");
  const beginning = h("p", { class: "row" }, begin, h("span", { class: "soft" }, "This changes the configuration of the lab, and sends the first pings."));
  const checkButton = h("button", { type: "button", class: "plain", onclick: () => void check_now(), title: "Some checks send pings, so time passes" }, "Check the task");
  const missing = h("p", { class: "soft", role: "status" });

  async function prepare() {
    if (!lesson) return;
    await app.act({ kind: "lesson", name: lesson.name });
    await load(lesson.name);
  }

  /** Checks the current task as `check` does in a terminal. */
  async function check_now() {
    missing.textContent = "";
    try {
      await source.request("act", { hand: { kind: "check" } });
    } catch (error) {
      missing.textContent = /** @type {Error} */ (error).message;
    }
    await check();
  }

  async function list() {
    asked = true;
    try {
      const found = await source.request("lessons");
      if (found.length === 0) return empty("This lab has no lessons.");
      chooser.replaceChildren(...found.map((/** @type {any} */ it) => h("option", { value: it.name }, it.title ?? it.name)));
      chooser.hidden = found.length < 2;
      await load(found[0].name);
    } catch (error) {
      empty(`The lessons cannot be read: ${/** @type {Error} */ (error).message}`);
    }
  }

  /** @param {string} text */
  function empty(text) {
    content.replaceChildren(h("p", { class: "empty" }, text));
  }

  /** @param {string} name */
  async function load(name) {
    try {
      lesson = /** @type {Lesson} */ (await source.request("lesson", { name }));
    } catch (error) {
      return empty(`The lesson cannot be read: ${/** @type {Error} */ (error).message}`);
    }
    met = lesson.met ?? lesson.tasks.map((task) => task.met === true);
    begun = lesson.begun !== false;
    title.textContent = lesson.title ?? lesson.name;
    tasks = lesson.tasks.map((task, i) => taskElement(task, i));
    content.replaceChildren(
      h("div", { class: "prose" }, markdown(withoutTitle(lesson))),
      beginning,
      h("ol", { class: "tasks" }, tasks),
      h("div", { class: "row" }, checkButton, missing),
    );
    mark();
    root.scrollTop = 0;
    void check();
  }

  function mark() {
    beginning.hidden = begun;
    checkButton.hidden = !begun || met.every(Boolean);
    tasks.forEach((element, i) => {
      element.classList.toggle("met", met[i]);
      element.classList.toggle("now", !met[i] && met.slice(0, i).every(Boolean));
      /** @type {HTMLElement} */ (element.querySelector(".tick")).textContent = met[i] ? "✓" : String(i + 1);
      /** @type {HTMLElement} */ (element.querySelector(".unseen")).textContent = met[i] ? "done: " : "to do: ";
    });
  }

  async function check() {
    if (!lesson || checking || root.hidden) return;
    checking = true;
    checkedAt = performance.now();
    try {
      const answer = await source.request("lesson", { name: lesson.name, check: true });
      const results = Array.isArray(answer) ? answer : (answer.met ?? answer.tasks ?? []);
      const now = results.map((/** @type {any} */ it) => it === true || it?.met === true);
      now.forEach((/** @type {boolean} */ done, /** @type {number} */ i) => {
        if (done && !met[i]) app.announce(`Task ${i + 1} is done.`);
      });
      met = now;
      mark();
    } catch {
      // The worker is busy with a longer run. The next check comes soon.
    }
    checking = false;
  }

  store.subscribe((state) => {
    if (root.hidden || !state.snapshot) return;
    if (!asked) void list();
    const key = `${state.epoch} ${state.items.at(-1)?.n} ${state.now}`;
    if (key === seen) return;
    seen = key;
    setTimeout(check, Math.max(0, PAUSE - (performance.now() - checkedAt)));
  });
  new MutationObserver(() => {
    if (!root.hidden && !asked && store.state.snapshot) void list();
  }).observe(root, { attributeFilter: ["hidden"] });
}

/** @param {Lesson} lesson returns its prose without the heading, which the panel already shows */
function withoutTitle({ prose }) {
  return prose.replace(/^\s*# [^\n]*\n/, "");
}

/**
 * @param {LessonTask & {title?: string}} task
 * @param {number} index
 */
function taskElement(task, index) {
  const hints = task.hints ?? [];
  return h(
    "li",
    { class: "task" },
    h("span", { class: "tick", "aria-hidden": "true" }, String(index + 1)),
    h("div", {}, h("span", { class: "unseen" }), task.title ? h("h3", {}, task.title) : null, markdown(task.text), hints.map((hint, i) => hintElement(hint, i, hints.length))),
  );
}

/**
 * @param {string} hint
 * @param {number} index
 * @param {number} count
 */
function hintElement(hint, index, count) {
  return h("details", { class: "hint" }, h("summary", {}, count > 1 ? `Hint ${index + 1} of ${count}` : "Hint"), markdown(hint));
}
