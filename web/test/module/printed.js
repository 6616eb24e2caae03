// @ts-check
// Reads the text of `show`. Makes one row for each entry, with the facts that the page shows too.

/** @typedef {string[]} Row */

/**
 * Returns the lines of entries. An entry is a line that matches, and the lines up to the next such line.
 *
 * @param {string} text
 * @param {RegExp} head
 * @returns {{found: RegExpMatchArray, rest: string[]}[]}
 */
function entries(text, head) {
  /** @type {{found: RegExpMatchArray, rest: string[]}[]} */
  const all = [];
  for (const line of text.split("\n")) {
    const found = line.match(head);
    if (found) all.push({ found, rest: [] });
    else all.at(-1)?.rest.push(line);
  }
  return all;
}

/**
 * Returns the locators below an entry, with their states.
 *
 * @param {string[]} lines
 * @param {RegExp} pattern
 */
function locators(lines, pattern) {
  return lines.flatMap((line) => {
    const found = line.match(pattern);
    return found ? [{ rloc: found[1], state: found[2] }] : [];
  });
}

/** The rows of each table in the text of its command. @type {Record<string, (text: string) => Row[]>} */
export const PRINTED = {
  "map-cache": (text) =>
    entries(text, /^(\S+), uptime: \S+, expires: (\S+), via (.*)$/).map(({ found, rest }) => {
      const action = rest.join("\n").match(/action: (\S+)/)?.[1];
      const state = found[3].includes(", ") ? found[3].split(", ").at(-1) : action;
      const list = locators(rest, /^ {2}(\S+) +[0-9]\S* +(\S+(?: \S+)*?) +[0-9]+\/[0-9]+/);
      return [found[1], state ?? "", list.map(({ rloc, state }) => (state === "up" ? rloc : `${rloc} ${state}`)).join(", "), found[2]];
    }),
  database: (text) =>
    entries(text, /^(\S+), (?:.*, )?locator-set \S+( \*\*\* NO ROUTE TO EID PREFIX \*\*\*)?/).map(({ found, rest }) => {
      const list = locators(rest, /^ {2}(\S+) +[0-9]+\/[0-9]+ +\S+ +(.*)$/);
      const names = list.map(({ rloc, state }) => (/[ -]reachable$/.test(state) ? rloc : `${rloc} ${state}`));
      return [found[1], names.join(", "), found[2] ? "no route" : "yes"];
    }),
  away: (text) => entries(text, /^([0-9a-f.:]+\/[0-9]+) +(.*?) +[0-9]\S*$/).map(({ found }) => [found[1], found[2]]),
  sites: (text) => {
    const sites = entries(text, /^Site name: (\S+)/);
    return sites.flatMap(({ found: [, site], rest }) =>
      entries(rest.join("\n"), /^ {2}EID-prefix: (\S+)/).map(({ found, rest }) => {
        // After an IPv6 address, the port follows a point, and the other facts are on the next line.
        const etrs = entries(rest.join("\n"), /^ {4}ETR (\S+)[:.][0-9]+(?:,|$)/);
        const last = etrs.map(({ found, rest }) => [found.input, ...rest].join("\n").match(/last registered ([^,]+),/)?.[1] ?? "").sort()[0];
        return [found[1], etrs.map(({ found: [, etr] }) => etr).join(", ") || "none", last ?? "", site];
      }),
    );
  },
  sessions: (text) =>
    entries(text, /^([0-9a-f.:]+) +(\S+) +(never|[0-9]\S*)/).map(({ found: [, peer, state, since] }) => [peer, state, state === "Up" ? since : ""]),
  "dynamic-eids": (text) =>
    entries(text, /^Dynamic-EID name: (\S+)/).flatMap(({ found: [, name], rest }) =>
      entries(rest.join("\n"), /^ {4}(\S+), (\S+), uptime: \S+$/).map(({ found: [, eid, port], rest }) => [
        eid,
        port,
        rest[0].match(/last activity: (\S+),/)?.[1] ?? "",
        name,
      ]),
    ),
  smr: (text) => entries(text, /^([0-9a-f.:]+\/[0-9]+) +(.*\S) *$/).map(({ found }) => [found[1], found[2]]),
};
