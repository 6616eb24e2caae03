// @ts-check
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { page } from "../bundle.mjs";

const html = await page();
const part = (/** @type {RegExp} */ pattern) => html.match(pattern)?.[1] ?? "";
const hash = (/** @type {string} */ text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

test("the policy permits only the script and the style with their hashes", () => {
  const policy = part(/Content-Security-Policy" content="([^"]*)"/);
  const script = part(/<script>([^]*?)<\/script>/);
  const style = part(/<style>([^]*?)<\/style>/);
  assert.match(policy, /^default-src 'none'; /);
  assert.ok(policy.includes(`script-src ${hash(script)} 'wasm-unsafe-eval';`));
  assert.ok(policy.includes(`style-src ${hash(style)};`));
  assert.ok(!policy.includes("unsafe-inline") && !policy.includes("'unsafe-eval'"));
});

test("the page has exactly one place for a lab", () => {
  assert.equal(html.split('<script type="application/json" id="lab">null</script>').length, 2);
});

test("the scripts are classic: they import nothing at run time", () => {
  const script = part(/<script>([^]*?)<\/script>/);
  assert.ok(!/\bimport\s*\(|\bimport\.meta\b|^import /.test(script));
});

test("the page lists its libraries with their licences", () => {
  for (const name of ["@dagrejs/dagre", "@dagrejs/graphlib", "marked"]) assert.ok(new RegExp(`${name} \\d+\\.\\d+\\.\\d+, MIT`).test(html), name);
});

test("the page without its module is small", () => {
  assert.ok(html.length < 400_000, `${html.length} characters`);
});
