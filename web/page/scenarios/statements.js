// @ts-check
// The status of each statement of a scenario at an instant, and the ends of its statements. This file does not use the DOM.

/** @import {Script, Statement} from "../model" */

/** @typedef {"done"|"failed"|"now"|"ahead"|"left"} Status `left`: an action of the user came before the statement, so it was not played */

/**
 * Returns the status of each statement.
 *
 * @param {Script} script
 * @param {number} now
 * @returns {Status[]}
 */
export function statuses({ statements, stopped, until }, now) {
  return statements.map(({ began, ended }, index) => {
    if (until !== null && ended > until) return "left";
    if (began > now) return "ahead";
    if (ended > now) return "now";
    return stopped !== null && index === statements.length - 1 ? "failed" : "done";
  });
}

/**
 * Returns the last statement that has begun, or -1.
 *
 * @param {Statement[]} statements
 * @param {number} now
 */
export function current(statements, now) {
  return statements.findLastIndex(({ began }) => began <= now);
}

/**
 * Returns the instant of the nearest end of a statement after the present, or before it.
 *
 * @param {Statement[]} statements
 * @param {number} now
 * @param {1|-1} way
 */
export function nearest(statements, now, way) {
  if (way > 0) return statements.find(({ ended }) => ended > now)?.ended;
  return statements.findLast(({ ended }) => ended < now)?.ended ?? statements[0]?.began;
}

/**
 * Returns the first line of a statement, which may have a block of lines.
 *
 * @param {string} text
 */
export function headline(text) {
  return text.split("\n")[0].replace(/\s+/g, " ");
}
