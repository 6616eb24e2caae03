// @ts-check
// Texts for times, names and octets.

/** @import {ClockState, NodeState, Role} from "./model" */

/**
 * Returns an instant in the form of a clock: minutes, seconds and milliseconds. Hours are shown only from one hour on.
 *
 * @param {number} micros
 * @param {number} [digits] of the fraction of a second, at most 6
 */
export function clock(micros, digits = 3) {
  const whole = Math.floor(micros / 1e6);
  const fraction = digits === 0 ? "" : `.${String(Math.floor(micros % 1e6)).padStart(6, "0").slice(0, digits)}`;
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  return `${hours > 0 ? `${hours}:` : ""}${two(minutes)}:${two(whole % 60)}${fraction}`;
}

/**
 * Returns a span of time in a unit that gives a short number.
 *
 * @param {number} micros
 */
export function span(micros) {
  if (micros < 1000) return `${micros} µs`;
  if (micros < 999_500) return `${trim(micros / 1e3)} ms`;
  if (micros < 6e7) return `${trim(micros / 1e6)} s`;
  if (micros < 3.6e9) return `${Math.floor(micros / 6e7)} min ${Math.round((micros % 6e7) / 1e6)} s`;
  return `${Math.floor(micros / 3.6e9)} h ${Math.round((micros % 3.6e9) / 6e7)} min`;
}

/** @param {number} value */
function trim(value) {
  return String(Number(value.toPrecision(3)));
}

/**
 * Returns a number of seconds as IOS prints it: 23:59:53, 1d02h, 2w3d.
 *
 * @param {number} seconds
 */
export function uptime(seconds) {
  const two = (/** @type {number} */ value) => String(value).padStart(2, "0");
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600);
  if (days >= 7) return `${Math.floor(days / 7)}w${days % 7}d`;
  if (days >= 1) return `${days}d${two(hours % 24)}h`;
  return `${two(hours)}:${two(Math.floor(seconds / 60) % 60)}:${two(Math.floor(seconds) % 60)}`;
}

/**
 * Returns the words beside the clock of a lab that is up: whether all packets are shown.
 *
 * @param {ClockState} clock
 * @param {number} leftOut
 */
export function liveText({ playing, sampled }, leftOut) {
  if (!playing) return "not connected";
  const number = (/** @type {number} */ value) => value.toLocaleString("en");
  const shares = [];
  if (sampled && sampled.hosts > 1) shares.push(`1 of ${number(sampled.hosts)} packets of hosts`);
  if (sampled && sampled.control > 1) shares.push(`1 of ${number(sampled.control)} other packets`);
  if (shares.length > 0) return `live, sampled: ${shares.join(" and ")}`;
  return leftOut > 0 ? `live, ${number(leftOut)} packets left out` : "live";
}

/**
 * Returns the roles of a router in a few letters: xTR, PxTR, MS/MR.
 *
 * @param {Role[]} roles
 */
export function roleNames(roles) {
  const has = (/** @type {Role} */ role) => roles.includes(role);
  const names = [];
  if (has("itr") && has("etr")) names.push("xTR");
  else if (has("itr")) names.push("ITR");
  else if (has("etr")) names.push("ETR");
  if (has("pitr") && has("petr")) names.push("PxTR");
  else if (has("pitr")) names.push("PITR");
  else if (has("petr")) names.push("PETR");
  if (has("map-server") && has("map-resolver")) names.push("MS/MR");
  else if (has("map-server")) names.push("MS");
  else if (has("map-resolver")) names.push("MR");
  return names.join(" · ");
}

/**
 * Returns an interface in the short form: e1/0 for Ethernet1/0.
 *
 * @param {string} name
 */
export function shortInterface(name) {
  return name.replace(/^([A-Za-z]+?)[a-z]*?(?=\d)/, (word) =>
    word.startsWith("Gig") ? "gi" : word.startsWith("Ten") ? "te" : word.startsWith("Ethernet") ? "e" : word,
  );
}

/**
 * Returns the address without its port.
 *
 * @param {string} endpoint
 */
export function addressOf(endpoint) {
  const bracket = endpoint.match(/^\[([^\]]+)\]/);
  if (bracket) return bracket[1];
  return endpoint.split(":").length === 2 ? endpoint.split(":")[0] : endpoint;
}

/**
 * Returns the node's kind and roles, for a title.
 *
 * @param {NodeState} node
 */
export function kindOf(node) {
  if (node.kind === "host") return "host";
  if (node.kind === "core") return "core node";
  return roleNames(node.roles) || "router";
}

/**
 * Returns octets in rows for a dump of hexadecimal digits.
 *
 * @param {string} digits
 * @param {number} [width] octets in a row
 * @returns {{offset: number, octets: string[]}[]}
 */
export function hexRows(digits, width = 16) {
  const octets = digits.match(/../g) ?? [];
  const rows = [];
  for (let offset = 0; offset < octets.length; offset += width) {
    rows.push({ offset, octets: octets.slice(offset, offset + width) });
  }
  return rows;
}
