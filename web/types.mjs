// @ts-check
// Makes page/generated.d.ts, the types of all requests and answers between page and module, from schema.json, which
// `cargo run -p eidway-web-module --example schema` prints from the types in Rust.
//
// node types.mjs

import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const SCHEMA = new URL("schema.json", import.meta.url);

/** The file with the types. */
export const TYPES = new URL("page/generated.d.ts", import.meta.url);

const BANNER = `// Made by types.mjs from schema.json. Do not edit: change the types in src/watch or web/module, then do
//   cargo run -p eidway-web-module --example schema > web/schema.json && (cd web && npm run types)
`;

/**
 * Returns a schema in the form that the compiler of types reads. A reference then has no other members beside it.
 *
 * @param {any} schema
 * @returns {any}
 */
function plain(schema) {
  if (Array.isArray(schema)) return schema.map(plain);
  if (schema === null || typeof schema !== "object") return schema;
  const { $ref, ...rest } = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, plain(value)]));
  if ($ref === undefined) return rest;
  const { description, ...others } = rest;
  return Object.keys(others).length > 0 ? { description, allOf: [{ $ref }, others] } : { $ref };
}

/** Returns the text of the types. */
export async function types() {
  const schema = plain(JSON.parse(readFileSync(SCHEMA, "utf8")));
  const text = await compile(schema, "Module", {
    additionalProperties: false,
    bannerComment: BANNER,
    style: { printWidth: 120 },
    unreachableDefinitions: true,
  });
  return text
    .replaceAll(/ \*\n *\* This interface was referenced by [^]*?\n( *)\*\//g, "*/")
    .replaceAll(/\/\*\*\n *\* ([^\n]*)\n? *\*\//g, "/** $1 */")
    .replace("export interface Module {}\n", "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(TYPES, await types());
