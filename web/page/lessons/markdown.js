// @ts-check
// Makes elements from Markdown. The library marked reads the Markdown. This file makes one kind of element for each
// kind of token, and inserts all strings as text. So markup in a lesson stays text, and only addresses of http and
// https become links.

import { lexer } from "marked";
import { h } from "../dom.js";

/** @typedef {import("marked").Token} Token */

/**
 * Returns the elements of a text in Markdown. A text that Marked cannot read, such as one that is nested too
 * deeply, is shown as it is.
 *
 * @param {string} text
 * @returns {Node[]}
 */
export function markdown(text) {
  try {
    return blocks(lexer(text));
  } catch {
    return [h("pre", { tabindex: 0 }, text)];
  }
}

/**
 * @param {Token[]} tokens
 * @returns {Node[]}
 */
function blocks(tokens) {
  return tokens.flatMap((token) => block(/** @type {any} */ (token)));
}

/**
 * @param {any} token
 * @returns {Node[]}
 */
function block(token) {
  switch (token.type) {
    case "space":
    case "def":
      return [];
    case "heading":
      return [h(token.depth <= 1 ? "h2" : "h3", {}, inline(token.tokens))];
    case "paragraph":
      return [h("p", {}, inline(token.tokens))];
    case "text":
      return token.tokens ? inline(token.tokens) : [document.createTextNode(token.text)];
    case "code":
      return [h("pre", { class: "code", tabindex: 0 }, h("code", {}, token.text))];
    case "blockquote":
      return [h("blockquote", {}, blocks(token.tokens))];
    case "list":
      return [h(token.ordered ? "ol" : "ul", {}, token.items.map((/** @type {any} */ item) => h("li", {}, blocks(item.tokens))))];
    case "hr":
      return [h("hr")];
    case "table":
      return [table(token)];
    default:
      return [h("p", {}, token.raw ?? "")];
  }
}

/** @param {any} token */
function table({ header, rows }) {
  const cells = (/** @type {"th" | "td"} */ tag, /** @type {any[]} */ row) => h("tr", {}, row.map((cell) => h(tag, {}, inline(cell.tokens))));
  return h("table", {}, h("thead", {}, cells("th", header)), h("tbody", {}, rows.map((/** @type {any} */ row) => cells("td", row))));
}

/**
 * @param {Token[]} [tokens]
 * @returns {Node[]}
 */
function inline(tokens = []) {
  return tokens.flatMap((/** @type {any} */ token) => {
    switch (token.type) {
      case "strong":
        return [h("strong", {}, inline(token.tokens))];
      case "em":
        return [h("em", {}, inline(token.tokens))];
      case "codespan":
        return [h("code", {}, token.text)];
      case "br":
        return [h("br")];
      case "del":
        return [h("del", {}, inline(token.tokens))];
      case "link":
        return link(token);
      case "escape":
        return [document.createTextNode(token.text)];
      case "text":
        return token.tokens ? inline(token.tokens) : [document.createTextNode(unescaped(token.text))];
      default:
        return [document.createTextNode(token.raw ?? "")];
    }
  });
}

/** @param {any} token */
function link(token) {
  if (!/^https?:\/\//i.test(token.href)) return inline(token.tokens);
  return [h("a", { href: token.href, target: "_blank", rel: "noreferrer noopener" }, inline(token.tokens))];
}

/** @param {string} text text of a token; some versions of marked escape characters in it */
function unescaped(text) {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name) => /** @type {any} */ ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]);
}
