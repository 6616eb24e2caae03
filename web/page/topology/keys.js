// @ts-check
// The arrow keys on the stage: they go to the next node in a direction.

/** @import {Picture} from "./geometry.js" */

/** @type {Record<string, [number, number]>} */
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/**
 * Moves the focus if the key is an arrow key. Returns whether the focus was moved.
 *
 * @param {string} key
 * @param {SVGGElement} from
 * @param {SVGGElement} layer
 * @param {Picture | null} picture
 */
export function walk(key, from, layer, picture) {
  const way = WAYS[key];
  if (!way || !picture) return false;
  const name = next(from.dataset.node ?? "", way, picture);
  const element = /** @type {any} */ ([...layer.children].find((it) => /** @type {any} */ (it).dataset.node === name));
  if (!element) return false;
  from.setAttribute("tabindex", "-1");
  element.setAttribute("tabindex", "0");
  element.focus();
  return true;
}

/**
 * Returns the nearest node in a direction.
 *
 * @param {string} from
 * @param {[number, number]} way
 * @param {Pick<Picture, "at">} picture
 */
export function next(from, [wx, wy], picture) {
  const here = picture.at.get(from);
  if (!here) return null;
  let best = null;
  let least = Infinity;
  for (const [name, { x, y }] of picture.at) {
    const ahead = (x - here.x) * wx + (y - here.y) * wy;
    const aside = Math.abs((x - here.x) * wy) + Math.abs((y - here.y) * wx);
    if (ahead < 4 || name === from) continue;
    const cost = ahead + 2.5 * aside;
    if (cost < least) [best, least] = [name, cost];
  }
  return best;
}
