// @ts-check
// The drawer below the stage: tabs, and a splitter that changes its height.

import { h } from "./dom.js";

const STEP = 24;

/**
 * Returns a drawer over panels, given by name as [label, element].
 *
 * @param {Record<string, [string, HTMLElement]>} panels
 */
export function createDrawer(panels) {
  /** @type {HTMLElement | null} */
  let box = null;
  /** @type {string | null} */
  let shown = null;
  let height = 240;

  const tabs = Object.entries(panels).map(([name, [label, panel]], index) => {
    panel.setAttribute("role", "tabpanel");
    panel.hidden = true;
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${name}`,
        "data-name": name,
        "aria-controls": panel.id,
        "aria-selected": "false",
        tabindex: index === 0 ? 0 : -1,
        onclick: () => (shown === name ? close() : open(name)),
      },
      label,
    );
  });
  const splitter = h("div", {
    class: "splitter",
    role: "separator",
    tabindex: 0,
    "aria-orientation": "horizontal",
    "aria-label": "Height of the drawer",
    onpointerdown: drag,
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === "ArrowUp") resize(height + STEP);
      if (event.key === "ArrowDown") resize(height - STEP);
    },
  });

  /** @param {number} to */
  function resize(to) {
    height = Math.round(Math.max(96, Math.min(to, innerHeight * 0.7)));
    box?.style.setProperty("--drawer", `${height}px`);
    splitter.setAttribute("aria-valuenow", String(height));
  }

  /** @param {PointerEvent} event */
  function drag(event) {
    const from = height + event.clientY;
    splitter.setPointerCapture(event.pointerId);
    const move = (/** @type {PointerEvent} */ now) => resize(from - now.clientY);
    splitter.addEventListener("pointermove", move);
    splitter.addEventListener("pointerup", () => splitter.removeEventListener("pointermove", move), {
      once: true,
    });
  }

  function refresh() {
    box?.classList.toggle("open", shown !== null);
    for (const tab of tabs) {
      const chosen = tab.dataset.name === shown;
      tab.setAttribute("aria-selected", String(chosen));
      panels[tab.dataset.name ?? ""][1].hidden = !chosen;
    }
  }

  /** @param {string} name */
  function open(name) {
    if (!panels[name]) return;
    shown = name;
    refresh();
  }

  function close() {
    shown = null;
    refresh();
  }

  /** @param {KeyboardEvent} event */
  function walk(event) {
    const at = tabs.indexOf(/** @type {any} */ (document.activeElement));
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (at < 0 || by === 0) return;
    const next = tabs[(at + by + tabs.length) % tabs.length];
    for (const tab of tabs) tab.tabIndex = tab === next ? 0 : -1;
    next.focus();
  }

  const element = [
    splitter,
    h("div", { class: "tabs", role: "tablist", "aria-label": "Drawer", onkeydown: walk }, tabs),
    h("div", { class: "panels" }, Object.values(panels).map(([, panel]) => panel)),
  ];
  return {
    element,
    open,
    close,
    /** @param {HTMLElement} element the element that holds the drawer */
    attach(element) {
      box = element;
      resize(height);
    },
  };
}
