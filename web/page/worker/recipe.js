// @ts-check
// A run as a small file: the seed and the actions, each with its instant. With the lab and this file, the run can be
// repeated exactly. The file has no signature.

/** @import {Deed, Recipe} from "./types" */

export const FORMAT = "eidway-run";
const VERSION = 1;

/** The maximum number of actions of a run. */
export const MOST_HANDS = 10_000;

const OPS = ["act", "console"];
/** The most octets of a command. */
const LONGEST = 4096;

/** The most octets of a request: a scenario may send some hundred packets with one hand. */
const LARGEST = 1 << 18;

/**
 * The file of a run.
 * @typedef {object} RunFile
 * @property {string} format
 * @property {number} version
 * @property {string} lab    the name of the lab
 * @property {string} files a checksum of the lab's files; another lab has another checksum
 * @property {number} seed
 * @property {number} at     the instant that the page showed
 * @property {number} end    the latest instant of the run
 * @property {Deed[]} hands
 * @property {{name: string, until: number|null}} [scenario]  the scenario that made the hands, and
 *   the instant from which the user made them
 */

/**
 * @param {Recipe} recipe
 * @param {{lab: string, at: number, end: number, until?: number|null}} place
 * @returns {RunFile}
 */
export function toFile({ files, seed, scenario, hands }, { lab, at, end, until = null }) {
  const played = scenario === null ? {} : { scenario: { name: scenario, until } };
  return { format: FORMAT, version: VERSION, lab, files: sum(files), seed, at, end, hands, ...played };
}

/**
 * Reads the file of a run.
 * @param {any} file
 * @returns {RunFile}
 * @throws {Error} that says which part is wrong
 */
export function fromFile(file) {
  if (file?.format !== FORMAT) throw new Error(`this is not a run of Eidway: "format" is not "${FORMAT}"`);
  if (file.version !== VERSION) throw new Error(`this run has version ${file.version}, but this page reads version ${VERSION}`);
  const instant = (/** @type {any} */ value, /** @type {string} */ name) => {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`"${name}" is no time in microseconds`);
    return value;
  };
  if (!Array.isArray(file.hands)) throw new Error('"hands" is no list');
  if (file.hands.length > MOST_HANDS) throw new Error(`there are ${file.hands.length} actions, but a run can have at most ${MOST_HANDS}`);
  let last = 0;
  const hands = file.hands.map((/** @type {any} */ hand, /** @type {number} */ index) => {
    const name = `hands[${index}]`;
    const at = instant(hand?.at, `${name}.at`);
    if (at < last) throw new Error(`"${name}" has an earlier instant than the previous action`);
    last = at;
    const { request, command } = hand;
    if (!OPS.includes(request?.op)) throw new Error(`"${name}.request" is neither of ${OPS.join(" and ")}`);
    if (JSON.stringify(request).length > LARGEST) throw new Error(`"${name}.request" is too long`);
    return typeof command === "string" ? { at, request, command: command.slice(0, LONGEST) } : { at, request };
  });
  const seed = instant(file.seed, "seed");
  const [at, end] = [instant(file.at, "at"), instant(file.end ?? file.at, "end")];
  const { name = null, until = null } = file.scenario ?? {};
  if (name !== null && (typeof name !== "string" || name.length > 100)) throw new Error('"scenario.name" is not the name of a scenario');
  const place = { lab: String(file.lab), at, end, until: until === null ? null : instant(until, "scenario.until") };
  return { ...toFile({ files: {}, seed, scenario: name, hands }, place), files: String(file.files) };
}

/**
 * Returns a checksum of a lab's files (FNV-1a, 64 bits). It finds a wrong lab, but it gives no protection against an
 * attacker.
 * @param {Record<string, string>} files
 */
export function sum(files) {
  let hash = 0xcbf29ce484222325n;
  const octets = new TextEncoder().encode(JSON.stringify(Object.entries(files).sort()));
  for (const octet of octets) hash = BigInt.asUintN(64, (hash ^ BigInt(octet)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
