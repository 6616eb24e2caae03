// @ts-check
// The IP packets in a packet: each encapsulation of LISP is an envelope around the next.

/** The port of encapsulated data. */
const DATA_PORT = 4341;

/** The deepest encapsulation that is read. */
const DEEPEST = 8;

/** @typedef {{version: number, source: string, destination: string, protocol: number, port: number | null}} Envelope */

/**
 * Returns the IP packets in a packet, the outermost first. The list ends at octets that are not an IP packet.
 *
 * @param {string} hex
 * @returns {Envelope[]}
 */
export function envelopes(hex) {
  const octet = (/** @type {number} */ at) => parseInt(hex.slice(2 * at, 2 * at + 2), 16);
  /** @type {Envelope[]} */
  const found = [];
  let start = 0;
  while (found.length < DEEPEST) {
    const version = octet(start) >> 4;
    if (version !== 4 && version !== 6) break;
    const header = version === 4 ? (octet(start) & 15) * 4 : 40;
    const protocol = octet(start + (version === 4 ? 9 : 6));
    const [at, length] = version === 4 ? [12, 4] : [8, 16];
    const address = (/** @type {number} */ from) => {
      const octets = Array.from({ length }, (_, index) => octet(start + from + index));
      return version === 4 ? octets.join(".") : ipv6(octets);
    };
    const port = protocol === 17 ? octet(start + header + 2) * 256 + octet(start + header + 3) : null;
    found.push({ version, source: address(at), destination: address(at + length), protocol, port });
    if (port !== DATA_PORT) break;
    start += header + 16;
  }
  return found;
}

/** @type {Record<number, string>} */
const PROTOCOLS = { 1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6" };

/**
 * Returns the headers of each IP packet as texts, for a drawing of nested boxes.
 *
 * @param {Envelope[]} list
 * @returns {string[][]}
 */
export function headers(list) {
  return list.map(({ version, source, destination, protocol, port }) => {
    const ip = `IPv${version} ${source} → ${destination}`;
    if (port === DATA_PORT) return [ip, `UDP ${port}`, "LISP"];
    return [ip, `${PROTOCOLS[protocol] ?? `protocol ${protocol}`}${port === null ? "" : ` ${port}`}`];
  });
}

/** @param {number[]} octets */
function ipv6(octets) {
  const words = Array.from({ length: 8 }, (_, index) => octets[2 * index] * 256 + octets[2 * index + 1]);
  // The longest run of zeros is written as two colons (RFC 5952).
  let best = { start: 0, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && words[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const text = (/** @type {number[]} */ part) => part.map((word) => word.toString(16)).join(":");
  if (best.length === 1) return text(words);
  return `${text(words.slice(0, best.start))}::${text(words.slice(best.start + best.length))}`;
}
