// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode, encode } from "../../page/worker/base85.js";

test("octets of each length come back, in characters that HTML does not read as markup", () => {
  for (let length = 0; length < 40; length += 1) {
    const octets = Uint8Array.from({ length }, (_, index) => (index * 89 + length * 37) & 255);
    const text = encode(octets);
    assert.deepEqual(decode(text), octets);
    assert.doesNotMatch(text, /[<>&"'`$\\]/);
  }
  assert.deepEqual(decode(encode(new Uint8Array(8).fill(255))), new Uint8Array(8).fill(255));
});

test("a text that is cut short, or has a foreign character, is refused", () => {
  const text = encode(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  assert.throws(() => decode(text.slice(0, -1)), /cut short/);
  assert.throws(() => decode(""), /cut short/);
  assert.throws(() => decode(`${text.slice(0, 3)}<${text.slice(4)}`), /wrong character/);
});
