// @ts-check
// Octets as text: 5 characters for 4 octets. Base64 needs 6 % more, and the module is most of the page.

/** No character ends a script element or needs an escape in HTML. */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#%()*+-./:;=?@[]^_{}|~";

/**
 * Returns octets as text. The text begins with the number of zero octets that fill the last group.
 *
 * @param {Uint8Array} octets
 */
export function encode(octets) {
  const missing = (4 - (octets.length % 4)) % 4;
  const padded = new Uint8Array(octets.length + missing);
  padded.set(octets);
  const view = new DataView(padded.buffer);
  const groups = [String(missing)];
  for (let at = 0; at < padded.length; at += 4) {
    let value = view.getUint32(at);
    let group = "";
    for (let digit = 0; digit < 5; digit += 1) {
      group = DIGITS[value % 85] + group;
      value = Math.floor(value / 85);
    }
    groups.push(group);
  }
  return groups.join("");
}

/**
 * Returns the octets of a text of `encode`.
 *
 * @param {string} text
 * @throws {Error} if the text is cut short, or has another character
 */
export function decode(text) {
  const missing = Number(text[0]);
  if (!(missing < 4) || text.length % 5 !== 1) throw new Error("it is cut short");
  const values = new Map([...DIGITS].map((digit, value) => [digit.charCodeAt(0), value]));
  const view = new DataView(new ArrayBuffer(((text.length - 1) / 5) * 4));
  for (let from = 1, at = 0; from < text.length; from += 5, at += 4) {
    let value = 0;
    for (let digit = 0; digit < 5; digit += 1) value = value * 85 + (values.get(text.charCodeAt(from + digit)) ?? NaN);
    if (!(value < 2 ** 32)) throw new Error(`it has a wrong character near position ${from}`);
    view.setUint32(at, value);
  }
  return new Uint8Array(view.buffer, 0, view.byteLength - missing);
}
