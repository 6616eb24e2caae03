// @ts-check
// Actions that are lines for a router's console: they remove a mapping, or add an overlay to the configuration.

/** @import {Source} from "../source.js" */

/**
 * A database-mapping of a configuration, and the lines that lead to it.
 * @typedef {object} Mapping
 * @property {string} prefix
 * @property {string[]} path   the lines of the blocks around it
 * @property {string} line
 */

/**
 * Returns the mappings of a running configuration.
 *
 * @param {string} text
 * @returns {Mapping[]}
 */
export function mappings(text) {
  /** @type {{depth: number, line: string}[]} */
  let path = [];
  const found = [];
  for (const row of text.split("\n")) {
    const line = row.trim();
    const depth = row.length - row.trimStart().length;
    if (line === "" || line.startsWith("!")) continue;
    path = path.filter((outer) => outer.depth < depth);
    const prefix = /^database-mapping (\S+)/.exec(line)?.[1];
    if (prefix) found.push({ prefix, path: path.map((outer) => outer.line), line });
    else path.push({ depth, line });
  }
  return found;
}

/**
 * Returns the overlays of a file: the lines for each router.
 *
 * @param {string} text
 * @returns {{node: string, lines: string[]}[]}
 */
export function overlays(text) {
  const found = [];
  for (const [, node, body] of text.matchAll(/^overlay (\S+) \{\n([^}]*)^\}/gm)) {
    found.push({ node, lines: body.split("\n").map((line) => line.trim()).filter((line) => line !== "" && line !== "!") });
  }
  return found;
}

/**
 * Types lines at a router's console. The first line is for the privileged mode.
 *
 * @param {Source} source
 * @param {string} node
 * @param {string[]} lines
 * @throws {Error} with the router's answer, if the router refuses a line
 */
export async function configure(source, node, lines) {
  const { prompt } = await source.request("console", { node, line: "show clock" });
  const leave = /\(config[^)]*\)/.test(prompt ?? "") ? ["end"] : [];
  for (const line of [...leave, "configure terminal", ...lines, "end"]) {
    const { ok, text } = await source.request("console", { node, line });
    if (ok === false) {
      await source.request("console", { node, line: "end" });
      throw new Error(`${node} refuses "${line}": ${text.trim()}`);
    }
  }
}

/**
 * Returns the command that types lines at a console.
 *
 * @param {string} lab
 * @param {string} node
 * @param {string[]} lines
 */
export function command(lab, node, lines) {
  const words = ["configure terminal", ...lines, "end"].map((line) => `-c '${line}'`);
  return `eidway console ${lab}/${node} ${words.join(" ")}`;
}
