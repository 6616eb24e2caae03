// @ts-check
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { TYPES, types } from "../types.mjs";

// A test of web/module holds schema.json to the types in Rust.
test("the types of the page are those of the schema of the module", async () => {
  assert.equal(readFileSync(TYPES, "utf8"), await types(), "run `npm run types`");
});
