// @ts-check
// A run as a small file: the seed and the hands, each with its instant. The lab and this file give the
// run again, to the octet. It is signed by nothing.

/** @import {Deed, Recipe} from "./types" */

export const FORMAT = "eidway-run";
const VERSION = 1;

/** A run has at most this number of hands. */
export const MOST_HANDS = 10_000;

const OPS = ["act", "console"];
const LONGEST = 4096;

/**
 * The file of a run.
 * @typedef {object} RunFile
 * @property {string} format
 * @property {number} version
 * @property {string} lab    the name of the lab
 * @property {string} files  a sum of the lab's files: another sum is another lab
 * @property {number} seed
 * @property {number} at     the instant that the page showed
 * @property {number} end    the latest instant of the run
 * @property {Deed[]} hands
 */

/**
 * @param {Recipe} recipe
 * @param {{lab: string, at: number, end: number}} place
 * @returns {RunFile}
 */
export function toFile({ files, seed, hands }, { lab, at, end }) {
  return { format: FORMAT, version: VERSION, lab, files: sum(files), seed, at, end, hands };
}

/**
 * Reads the file of a run.
 * @param {any} file
 * @returns {RunFile}
 * @throws {Error} that says which part is wrong
 */
export function fromFile(file) {
  if (file?.format !== FORMAT) throw new Error(`this is no run of Eidway: "format" is not "${FORMAT}"`);
  if (file.version !== VERSION) throw new Error(`this run has version ${file.version}, and this page reads ${VERSION}`);
  const instant = (/** @type {any} */ value, /** @type {string} */ name) => {
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`"${name}" is no time in microseconds`);
    return value;
  };
  if (!Array.isArray(file.hands)) throw new Error('"hands" is no list');
  if (file.hands.length > MOST_HANDS) throw new Error(`there are ${file.hands.length} hands, at most ${MOST_HANDS} are read`);
  let last = 0;
  const hands = file.hands.map((/** @type {any} */ hand, /** @type {number} */ index) => {
    const name = `hands[${index}]`;
    const at = instant(hand?.at, `${name}.at`);
    if (at < last) throw new Error(`"${name}" comes before the hand above it`);
    last = at;
    const { request, command } = hand;
    if (!OPS.includes(request?.op)) throw new Error(`"${name}.request" is neither of ${OPS.join(" and ")}`);
    if (JSON.stringify(request).length > LONGEST) throw new Error(`"${name}.request" is too long`);
    return typeof command === "string" ? { at, request, command: command.slice(0, LONGEST) } : { at, request };
  });
  const seed = instant(file.seed, "seed");
  const [at, end] = [instant(file.at, "at"), instant(file.end ?? file.at, "end")];
  return { ...toFile({ files: {}, seed, hands }, { lab: String(file.lab), at, end }), files: String(file.files) };
}

/**
 * Returns a sum of a lab's files (FNV-1a, 64 bits). It finds another lab by mistake, not by intent.
 * @param {Record<string, string>} files
 */
export function sum(files) {
  let hash = 0xcbf29ce484222325n;
  const octets = new TextEncoder().encode(JSON.stringify(Object.entries(files).sort()));
  for (const octet of octets) hash = BigInt.asUintN(64, (hash ^ BigInt(octet)) * 0x100000001b3n);
  return hash.toString(16).padStart(16, "0");
}
