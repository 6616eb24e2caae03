// The types that only the worker uses. Times are microseconds since the start of the lab.

export type { Script } from "../model";

/** The exports of the module. */
export interface Exports {
  memory: WebAssembly.Memory;
  alloc(len: number): number;
  free(ptr: number, len: number): void;
  call(ptr: number, len: number): bigint;
}

/** A request to the module. */
export interface Request {
  op: string;
  [field: string]: any;
}

/** A request that changed the lab, and the instant at whose end it was made. */
export interface Deed {
  at: number;
  request: Request;
  /** The command that has the same effect. */
  command?: string;
}

/** The data that are needed to repeat a run. */
export interface Recipe {
  files: Record<string, string>;
  seed: number;
  /** The scenario whose overlays the routers have. */
  scenario: string | null;
  hands: Deed[];
}
