// @ts-check
// A worker with a lab made by hand, for work on the page without the simulator.

import { snapshot } from "./lab.js";

self.onmessage = ({ data }) => {
  const { id, op } = data;
  if (op === "open" || op === "snapshot") self.postMessage({ id, ok: true, result: snapshot() });
  else self.postMessage({ id, ok: false, error: `The fake lab has no ${op}` });
};
