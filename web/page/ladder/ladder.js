// @ts-check

/** @import {App} from "../app" */

/**
 * Builds the ladder below an element.
 *
 * @param {HTMLElement} root
 * @param {App} app
 */
export function mount(root, app) {
  root.textContent = "";
  void app;
}
