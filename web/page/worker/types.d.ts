// The types of the worker that the page does not see. Times are microseconds since the start of the lab.

/** The plain exports of the module. */
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

/** A request that changed the lab. It was made at the end of an instant. */
export interface Deed {
  at: number;
  request: Request;
  /** The command that has the same effect. */
  command?: string;
}

/** All that is needed to do a run again. */
export interface Recipe {
  files: Record<string, string>;
  seed: number;
  hands: Deed[];
}
