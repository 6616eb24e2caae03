// @ts-check
import assert from "node:assert/strict";
import { test } from "node:test";
import { envelopes, headers } from "../page/envelopes.js";
import { completed } from "../page/console/terminal.js";
import { clock, hexRows, liveText, roleNames, shortInterface, span, uptime } from "../page/format.js";
import { bitsOf, diagram, fieldsAt, layersOf, short } from "../page/inspector/layers.js";
import { sectionAddress } from "../page/inspector/reason.js";
import { changeOf, lastChanges, tableViews } from "../page/inspector/tables.js";
import { normalSnapshot } from "../page/normal.js";
import { answer } from "./fake/answers.js";
import { gsmr } from "./fake/lab.js";
import { story } from "./fake/run.js";

const tables = () => tableViews(answer({ op: "tables", node: "xTR2" }, gsmr()));

test("tables with lines come first, in the order of the model", () => {
  const full = tables().filter(({ lines }) => lines.length > 0);
  assert.deepEqual(full.map(({ name }) => name), ["map-cache", "database", "sessions"]);
  assert.ok(tables().at(-1)?.lines.length === 0);
});

test("the seconds of a learned mapping count down, and a static mapping never expires", () => {
  const [cache] = tables();
  assert.equal(cache.lines[0].cells[3].text, "never");
  assert.equal(cache.lines[1].cells[3].seconds, 86395);
});

test("a table that the page does not know has the plain members as columns", () => {
  const [view] = tableViews([{ table: "new", family: null, command: "", text: "", view: { entries: [{ eid: "1.1.1.1", state: "up", list: [] }] } }]);
  assert.deepEqual(view.heads, ["eid", "state"]);
  assert.equal(view.lines[0].key, "1.1.1.1");
});

test("a locator that cannot be used has its state, in the map-cache and in the database", () => {
  const locators = ["up", "unreachable", "down"].map((state) => ({ rloc: "192.0.2.1", state }));
  const own = ["site-self, reachable", "site-self, unreachable"].map((state) => ({ rloc: "192.0.2.2", state }));
  const table = (/** @type {string} */ table, /** @type {any} */ locators) => ({ table, family: null, command: "", text: "", view: { entries: [{ eid_prefix: "10.0.0.0/8", locators }] } });
  const [cache, database] = tableViews([table("map-cache", locators), table("database", own)]);
  assert.equal(cache.lines[0].cells[2].text, "192.0.2.1, 192.0.2.1 unreachable, 192.0.2.1 down");
  assert.equal(database.lines[0].cells[1].text, "192.0.2.2, 192.0.2.2 site-self, unreachable");
});

test("the table of dynamic EIDs has a line for each host, by the key of its changes", () => {
  const host = { eid: "172.16.0.12", interface: "Ethernet1/0", uptime: 9, last_seen: 5, discovered_by: "packet" };
  const view = { ranges: [{ name: "ROAM", eid_prefix: "172.16.0.0/24", hosts: [host] }, { name: "ROAM", eid_prefix: "2001:db8:a::/64", hosts: [] }] };
  const [table] = tableViews([{ table: "dynamic-eids", family: null, command: "", text: "", view }]);
  assert.deepEqual(table.lines.map(({ key, cells }) => [key, ...cells.map(({ text }) => text)]), [["172.16.0.12", "172.16.0.12", "Ethernet1/0", "00:00:05", "ROAM"]]);
});

test("the last change of a line is the reason for the line", () => {
  const changes = lastChanges(story(gsmr()), "xTR2");
  const line = tables()[0].lines[1];
  assert.equal(changeOf(changes, "map-cache", line)?.reason?.text, "A negative Map-Reply arrived.");
  assert.equal(changeOf(changes, "map-cache", tables()[0].lines[0]), undefined);
});

test("the diagram of a header has 32 bits in a row and each bit once", () => {
  for (const octets of ["1a", "45"]) {
    for (const layer of layersOf(answer({ op: "dissect", octets }, gsmr()))) {
      let next = 0;
      for (const { row, column, columns, rows } of diagram(layer)) {
        assert.equal(32 * row + column, next);
        assert.ok(column + columns <= 32);
        next += columns * rows;
      }
      const bits = layer.fields.map((field) => bitsOf(field, layer.from).count);
      assert.equal(next, bits.reduce((sum, count) => sum + count, 0));
    }
  }
});

test("a field over the end of a row has a part in each row, and one name", () => {
  const [layer] = layersOf(answer({ op: "dissect", octets: "1a" }, gsmr()));
  const parts = diagram(layer).filter(({ field }) => field.name === "Source EID Address");
  assert.deepEqual(parts.map(({ row, column, columns }) => [row, column, columns]), [[3, 16, 16], [4, 0, 16]]);
  assert.deepEqual(parts.map(({ label }) => label), ["Source EID Address", ""]);
});

test("a long field is cut to three rows, and the next field follows it", () => {
  const field = (/** @type {string} */ name, /** @type {number} */ from, /** @type {number} */ len) => ({ name, value: "", from, len, bits: null, meaning: null });
  const [layer] = layersOf({ layers: [{ name: "", section: "", from: 4, len: 24, fields: [field("MAC", 4, 20), field("TTL", 24, 4)] }] });
  assert.deepEqual(diagram(layer).map(({ row, rows, cut }) => [row, rows, cut]), [[0, 3, true], [3, 1, false]]);
});

test("an octet belongs to all fields that have a bit in it", () => {
  const layers = layersOf(answer({ op: "dissect", octets: "1a" }, gsmr()));
  assert.deepEqual(fieldsAt(layers, 2).map(({ name }) => name), ["Rsvd", "L", "D", "IRC"]);
  assert.deepEqual(fieldsAt(layers, 29).map(({ name }) => name), ["EID-Prefix"]);
});

test("a name that does not fit has its initials", () => {
  assert.equal(short("Data Offset", 4), "DO");
  assert.equal(short("Reserved", 2), "");
  assert.equal(short("CWR", 1), "CWR");
});

test("a packet in a packet is a box in a box", () => {
  const hop = story(gsmr()).find((item) => item.kind === "hop" && item.class === "data");
  assert.ok(hop?.kind === "hop");
  assert.deepEqual(headers(envelopes(hop.octets)), [
    ["IPv4 198.51.100.21 → 203.0.113.11", "UDP 4341", "LISP"],
    ["IPv4 192.168.0.22 → 172.16.0.12", "ICMP"],
  ]);
});

test("octets that are no packet, or that end early, have no boxes", () => {
  assert.deepEqual(envelopes(""), []);
  assert.deepEqual(envelopes("00010800"), []);
  assert.equal(envelopes("45").length, 1);
});

test("a section of an RFC has an address", () => {
  assert.equal(sectionAddress("RFC 9301 section 6.1"), "https://www.rfc-editor.org/rfc/rfc9301#section-6.1");
  assert.equal(sectionAddress("RFC 9300, section 10.1."), "https://www.rfc-editor.org/rfc/rfc9300#section-10.1");
  assert.equal(sectionAddress("the document"), null);
});

test("times have the form of a clock, a span and an uptime", () => {
  assert.equal(clock(2_015_091), "00:02.015");
  assert.equal(clock(2_015_091, 6), "00:02.015091");
  assert.equal(clock(3_600_000_000 * 2, 0), "2:00:00");
  assert.equal(span(310), "310 µs");
  assert.equal(span(1_990_000), "1.99 s");
  assert.equal(span(75_000_000), "1 min 15 s");
  assert.equal(uptime(86395), "23:59:55");
  assert.equal(uptime(90000), "1d01h");
});

test("names are short where the picture needs it", () => {
  assert.equal(roleNames(["itr", "etr"]), "xTR");
  assert.equal(roleNames(["pitr", "petr", "map-server"]), "PxTR · MS");
  assert.equal(shortInterface("Ethernet1/0"), "e1/0");
  assert.equal(shortInterface("GigabitEthernet0/0/1"), "gi0/0/1");
  assert.equal(shortInterface("eth0"), "eth0");
});

test("the rows of octets have their offsets", () => {
  assert.deepEqual(hexRows("0102030405", 4), [
    { offset: 0, octets: ["01", "02", "03", "04"] },
    { offset: 4, octets: ["05"] },
  ]);
});

test("Tab completes the last word, also with a whole line", () => {
  assert.equal(completed("sh ip li", "lisp"), "sh ip lisp ");
  assert.equal(completed("show ip li", "show ip lisp"), "show ip lisp ");
});

test("a snapshot in the form of the simulator becomes one of the model", () => {
  const given = { lab: { name: "x", title: null }, nodes: [{ name: "P", kind: "router", roles: ["proxy-itr"] }], segments: [{ name: "s", is_lan: true, ports: [] }] };
  const { nodes, segments, lab } = normalSnapshot(given);
  assert.deepEqual([nodes[0].roles, segments[0].kind, lab.title], [["pitr"], "lan", ""]);
});

test("a live lab says whether it shows all packets", () => {
  const clock = { playing: true, pace: 1, end: 0, steerable: false };
  assert.equal(liveText({ ...clock, playing: false }, 0), "not connected");
  assert.equal(liveText(clock, 0), "live");
  assert.equal(liveText(clock, 1234), "live, 1,234 packets left out");
  assert.equal(liveText({ ...clock, sampled: { hosts: 1024, control: 1 } }, 9), "live, sampled: 1 of 1,024 packets of hosts");
  assert.equal(liveText({ ...clock, sampled: { hosts: 2, control: 4 } }, 0), "live, sampled: 1 of 2 packets of hosts and 1 of 4 other packets");
});
