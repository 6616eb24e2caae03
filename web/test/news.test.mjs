// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { news } from "../page/news.js";
import { gsmr } from "./fake/lab.js";
import { story } from "./fake/run.js";

const items = story(gsmr());

test("a dropped packet is more important than messages and hops", () => {
  const at = items.findIndex((item) => item.kind === "decision" && item.verdict === "drop");
  assert.match(news(items.slice(at - 3, at + 3)), /^xTR1 drops .*: The local EID prefix 172\.16\.0\.0\/24 has no route\.$/);
});

test("a message is more important than its hops", () => {
  const at = items.findIndex((item) => item.kind === "message" && item.name === "Map-Reply");
  assert.match(news(items.slice(at, at + 3)), /^xTR1 sends Map-Reply/);
});
