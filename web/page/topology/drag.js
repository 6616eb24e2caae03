// @ts-check
// If the user drags a host onto a router, the host moves to the LAN of the router.

/** @import {App} from "../app" */
/** @import {Picture} from "./geometry.js" */

const THRESHOLD = 7;

/**
 * @param {SVGSVGElement} svg
 * @param {SVGGElement} layer of the nodes
 * @param {App} app
 * @param {() => Picture | null} picture
 */
export function enableDrag(svg, layer, app, picture) {
  /** @type {{host: SVGGElement, name: string, x: number, y: number, moved: boolean} | null} */
  let drag = null;

  /** @param {PointerEvent} event */
  const inside = (event) => {
    const box = svg.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  /** @param {{x: number, y: number}} point */
  function target(point) {
    for (const [name, at] of picture()?.at ?? []) {
      const router = app.store.node(name)?.kind === "router";
      if (router && Math.abs(at.x - point.x) < 60 && Math.abs(at.y - point.y) < 40) return name;
    }
    return null;
  }

  /** @param {string | null} name */
  function mark(name) {
    for (const element of /** @type {any} */ (layer.children)) {
      element.classList.toggle("target", element.dataset.node === name);
    }
  }

  /** @param {{host: SVGGElement, name: string}} dragged the host to put back to its place */
  function release({ host, name }) {
    host.classList.remove("dragged");
    mark(null);
    const home = picture()?.at.get(name);
    if (home) host.setAttribute("transform", `translate(${home.x} ${home.y})`);
  }

  svg.addEventListener("pointerdown", (event) => {
    const host = /** @type {SVGGElement | null} */ (/** @type {Element} */ (event.target).closest("[data-node].host"));
    if (!host || event.button !== 0) return;
    drag = { host, name: host.dataset.node ?? "", ...inside(event), moved: false };
  });
  svg.addEventListener("pointermove", (event) => {
    if (!drag) return;
    const point = inside(event);
    if (!drag.moved && Math.hypot(point.x - drag.x, point.y - drag.y) < THRESHOLD) return;
    if (!drag.moved) {
      drag.moved = true;
      drag.host.classList.add("dragged");
      svg.setPointerCapture(event.pointerId);
    }
    drag.host.setAttribute("transform", `translate(${point.x} ${point.y})`);
    mark(target(point));
  });
  svg.addEventListener("pointercancel", () => {
    if (drag) release(drag);
    drag = null;
  });
  svg.addEventListener("pointerup", (event) => {
    if (!drag) return;
    const { name, moved } = drag;
    if (moved) release(drag);
    drag = null;
    if (!moved) return;
    const to = target(inside(event));
    if (to) void app.act({ kind: "move", host: name, to });
    // At the end of a drag, the browser reports a click. It must not select a node.
    svg.addEventListener("click", (click) => click.stopImmediatePropagation(), { once: true, capture: true });
  });
}
