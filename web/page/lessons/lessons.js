// @ts-check
// Lessons: prose, tasks that are marked when they are done, and hints that are shown after a click.

import { h } from "../dom.js";
import { save } from "../time/files.js";
import { markdown } from "./markdown.js";

/** @import {App} from "../app" */
/** @import {LessonAnswer, LessonTask} from "../model" */

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

  /** @type {LessonAnswer | null} */
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
  const beginning = h("p", { class: "row" }, begin, h("span", { class: "soft" }, "The lab starts again, with the configuration and the first pings of the lesson."));
  const checkButton = h("button", { type: "button", class: "plain", onclick: () => void checkNow(), title: "Some checks send pings, so time passes" }, "Check the task");
  const handInButton = h("button", { type: "button", class: "plain", onclick: () => void saveHandIn(), title: "The commands of this lesson, for: eidway lab grade FILE" }, "Save the hand-in");
  const missing = h("p", { class: "soft", role: "status" });

  /** Whether the run has a recorded future after the present. An action now would replace that future. */
  const isInPast = () => store.state.clock.end > store.state.now;

  async function prepare() {
    if (!lesson) return;
    begin.disabled = true;
    // A teacher's replay begins with a lab that has just come up.
    await source.request("goto", { at: 0 }).catch((error) => app.announce(error.message));
    await app.act({ kind: "lesson", name: lesson.name });
    begin.disabled = false;
    await load(lesson.name);
  }

  /** Sends a request about the lesson, and shows the new state of the lesson. @param {"check" | "hint"} kind */
  async function act(kind) {
    try {
      await source.request("act", { hand: { kind } });
      take(await source.request("lesson", { name: lesson?.name }));
    } catch (error) {
      missing.textContent = /** @type {Error} */ (error).message;
    }
  }

  /** Checks the current task as `check` does in a terminal. */
  async function checkNow() {
    missing.textContent = "";
    await act("check");
    if (lesson?.unmet) missing.textContent = `Not yet: ${lesson.unmet.words}`;
  }

  async function saveHandIn() {
    try {
      const { text, commands, left_out } = await source.request("hand-in");
      save(`${store.state.snapshot?.lab.name}-${lesson?.name}.hand-in`, text, "application/jsonl");
      const without = left_out.length > 0 ? ` Without these actions, which it cannot contain: ${left_out.join("; ")}.` : "";
      missing.textContent = `The hand-in has ${commands} commands. It is not signed.${without}`;
    } catch (error) {
      missing.textContent = /** @type {Error} */ (error).message;
    }
  }

  async function list() {
    asked = true;
    try {
      const found = await source.request("lessons");
      if (found.length === 0) return empty("This lab has no lessons.");
      chooser.replaceChildren(...found.map((/** @type {any} */ it) => h("option", { value: it.name }, it.title || it.name)));
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
      lesson = /** @type {LessonAnswer} */ (await source.request("lesson", { name }));
    } catch (error) {
      return empty(`The lesson cannot be read: ${/** @type {Error} */ (error).message}`);
    }
    ({ met, begun } = lesson);
    title.textContent = lesson.title;
    missing.textContent = "";
    tasks = lesson.tasks.map((task, i) => taskElement(task, i, () => hintSeen(i)));
    content.replaceChildren(
      h("div", { class: "prose" }, markdown(withoutTitle(lesson))),
      beginning,
      h("ol", { class: "tasks" }, tasks),
      h("div", { class: "row" }, checkButton, handInButton),
      missing,
    );
    mark();
    root.scrollTop = 0;
    void check();
  }

  function mark() {
    beginning.hidden = begun;
    checkButton.hidden = !begun || met.every(Boolean);
    handInButton.hidden = !begun;
    tasks.forEach((element, i) => {
      element.classList.toggle("met", met[i]);
      element.classList.toggle("now", !met[i] && met.slice(0, i).every(Boolean));
      /** @type {HTMLElement} */ (element.querySelector(".tick")).textContent = met[i] ? "✓" : String(i + 1);
      /** @type {HTMLElement} */ (element.querySelector(".unseen")).textContent = met[i] ? "done: " : "to do: ";
    });
  }

  /** @param {LessonAnswer} answer the state of the lesson */
  function take(answer) {
    lesson = answer;
    answer.met.forEach((done, i) => {
      if (done && !met[i]) app.announce(`Task ${i + 1} is done.`);
    });
    ({ met, begun } = answer);
    mark();
  }

  /** Notes that the student has opened a hint, for the hand-in. @param {number} task */
  function hintSeen(task) {
    if (begun && met.indexOf(false) === task && !isInPast()) void act("hint");
  }

  /** Asks whether the current task is done. If so, the request `check` ends the task, and the run records this request. */
  async function check() {
    if (!lesson || !begun || checking || root.hidden) return;
    checking = true;
    checkedAt = performance.now();
    try {
      take(await source.request("lesson", { name: lesson.name, check: true }));
      if (lesson.ready && !isInPast()) await act("check");
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

/** Returns the prose of a lesson without its heading, because the panel shows the heading. @param {LessonAnswer} lesson */
function withoutTitle({ prose }) {
  return prose.replace(/^\s*# [^\n]*\n/, "");
}

/**
 * @param {LessonTask} task
 * @param {number} index
 * @param {() => void} hintSeen is called when a hint is opened for the first time
 */
function taskElement({ title, text, hints }, index, hintSeen) {
  return h(
    "li",
    { class: "task" },
    h("span", { class: "tick", "aria-hidden": "true" }, String(index + 1)),
    h("div", {}, h("span", { class: "unseen" }), h("h3", {}, title), markdown(text), hints.map((hint, i) => hintElement(hint, i, hints.length, hintSeen))),
  );
}

/**
 * @param {string} hint
 * @param {number} index
 * @param {number} count
 * @param {() => void} seen
 */
function hintElement(hint, index, count, seen) {
  let isNew = true;
  const toggled = (/** @type {Event} */ { target }) => {
    if (isNew && /** @type {HTMLDetailsElement} */ (target).open) seen();
    isNew &&= !(/** @type {HTMLDetailsElement} */ (target).open);
  };
  return h("details", { class: "hint", ontoggle: toggled }, h("summary", {}, count > 1 ? `Hint ${index + 1} of ${count}` : "Hint"), markdown(hint));
}
