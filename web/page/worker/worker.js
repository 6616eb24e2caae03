// @ts-check
// The script of the worker: it answers `{id, op, ...}` with `{id, ok, result | error}` and posts events.

export {};
