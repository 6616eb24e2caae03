// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { breadth, fit, freePlace, label, linesOf, pointOn, way } from "../page/topology/geometry.js";
import { next } from "../page/topology/keys.js";
import { arrange, sites } from "../page/topology/layout.js";
import { fifty, gsmr } from "./fake/lab.js";

/** @param {import("../page/model").Snapshot} lab */
const names = (lab) => new Map(lab.nodes.map((node) => [node.name, node]));

test("sites are above the core, map-servers and the proxy below it", () => {
  const { nodes, segments } = gsmr();
  const { places } = arrange(nodes, segments);
  const y = (/** @type {string} */ name) => places.get(name)?.y ?? NaN;
  assert.ok(y("A") < y("xTR1") && y("xTR1") < y("Core1"));
  assert.equal(y("xTR1"), y("xTR2"));
  assert.ok(y("Core1") < y("NewMSMR") && y("PxTR1") < y("N"));
});

test("a site is a part that is connected without the core", () => {
  const { nodes, segments } = gsmr();
  const found = sites(nodes, segments).map((site) => site.map(({ name }) => name).sort().join(" "));
  assert.ok(found.includes("A C D xTR1"));
  assert.ok(found.includes("N PxTR1"));
});

test("fifty nodes do not overlap on a stage of 1000 x 760", () => {
  const { nodes, segments } = fifty();
  const { at, sizes } = fit(arrange(nodes, segments), 1000, 760);
  const points = [...at.values()];
  points.forEach((a, i) => {
    for (const b of points.slice(i + 1)) {
      assert.ok(Math.abs(a.x - b.x) >= sizes.width || Math.abs(a.y - b.y) >= sizes.height, `${a.x},${a.y} and ${b.x},${b.y}`);
    }
  });
});

test("on a stage that is too narrow, the picture is wider than the stage", () => {
  const { nodes, segments } = fifty();
  const picture = fit(arrange(nodes, segments), 300, 500);
  assert.ok(picture.width > 300);
  for (const { x } of picture.at.values()) assert.ok(x > 0 && x < picture.width);
});

test("positions of the lab file are kept", () => {
  const lab = gsmr();
  lab.nodes.forEach((node, i) => (node.position = [i * 10, (i % 3) * 5]));
  const { places } = arrange(lab.nodes, lab.segments);
  const last = lab.nodes.length - 1;
  assert.deepEqual(places.get(lab.nodes[0].name)?.x, 0);
  assert.deepEqual(places.get(lab.nodes[last].name)?.x, 1);
});

test("a packet over a LAN with a bar goes over the bar", () => {
  const lab = gsmr();
  const byName = names(lab);
  const picture = fit(arrange(lab.nodes, lab.segments), 1000, 700);
  const msmr = /** @type {any} */ (lab.segments.find(({ name }) => name === "msmr"));
  const lines = way(msmr, "Core1", "OldMSMR", picture, (name) => byName.get(name));
  assert.deepEqual(lines[0].from, picture.at.get("Core1"));
  assert.deepEqual(lines.at(-1)?.to, picture.at.get("OldMSMR"));
  assert.equal(lines.length, 3);
});

test("a link in a row goes around the nodes between its ends", () => {
  const lab = fifty();
  const byName = names(lab);
  const picture = fit(arrange(lab.nodes, lab.segments), 1000, 760);
  const lines = lab.segments.flatMap((segment) => linesOf(segment, picture, (name) => byName.get(name)));
  for (const { line } of lines.filter(({ line }) => line.from.y === line.to.y && line.via)) {
    assert.notEqual(pointOn(line, 0.5).y, line.from.y);
  }
  assert.ok(lines.some(({ line }) => line.via));
});

test("a host that moved is drawn beside the hosts of its new LAN, and does not cover them", () => {
  const lab = gsmr();
  const picture = fit(arrange(lab.nodes, lab.segments), 1000, 700);
  const beside = /** @type {{x: number, y: number}} */ (picture.at.get("B"));
  const place = freePlace(picture, beside, "A");
  assert.equal(place.y, beside.y);
  for (const [name, point] of picture.at) {
    if (name !== "A") assert.ok(Math.abs(point.x - place.x) > 40 || Math.abs(point.y - place.y) > 30, name);
  }
});

test("a name keeps its beginning and its end, in letters that can be read", () => {
  assert.deepEqual(label("xTR1", 54, 11.5), { text: "xTR1", size: 11.5 });
  const small = label("h_helsinki", 62, 11.5);
  assert.equal(small.text, "h_helsinki");
  assert.ok(small.size >= 9.5 && small.size < 11.5, `${small.size}`);
  const one = label("site_north_host_1", 54, 11.5);
  const two = label("site_south_host_2", 54, 11.5);
  for (const { text, size } of [one, two]) {
    assert.ok(breadth(text) * size <= 54.1, text);
    assert.match(text, /^site…|^site_…/);
  }
  assert.notEqual(one.text, two.text);
  assert.equal(label("abcdefgh", 10, 11.5).text.length, 4);
});

test("arrow keys go to the nearest node in their direction", () => {
  const at = new Map([["a", { x: 0, y: 0 }], ["b", { x: 100, y: 10 }], ["c", { x: 0, y: 100 }]]);
  assert.equal(next("a", [1, 0], { at }), "b");
  assert.equal(next("a", [0, 1], { at }), "c");
  assert.equal(next("a", [-1, 0], { at }), null);
});

test("a lab of one node has a layout", () => {
  const { nodes } = gsmr();
  const { at } = fit(arrange(nodes.slice(0, 1), []), 400, 300);
  const point = at.get("xTR1");
  assert.ok(point && Number.isFinite(point.x) && Number.isFinite(point.y));
});
