// @ts-check
// An instance of the module: requests go in as JSON, answers come out as JSON.

/** @import {Exports, Request} from "./types" */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const WASM_PAGE = 65536;

/** The error of a request that the module refuses. The lab has not changed. */
export class Refused extends Error {}

/** The error of a module that trapped. This instance cannot be used any more. */
export class Broken extends Error {}

/** An instance of the module, and its memory. */
export class Machine {
  /** @param {() => Exports} make makes a new instance */
  constructor(make) {
    this.make = make;
    this.exports = make();
    /** Whether a call trapped. The memory then has an unknown state. */
    this.broken = false;
  }

  /** The octets of the linear memory. The view is valid until the next call. */
  get octets() {
    return new Uint8Array(this.exports.memory.buffer);
  }

  /**
   * Makes a request and returns its result.
   * @param {Request} request
   * @returns {any}
   * @throws {Refused|Broken}
   */
  call(request) {
    if (this.broken) throw new Broken("this instance of the module has failed before");
    const text = this.guarded(() => this.exchange(encoder.encode(JSON.stringify(request))));
    const answer = JSON.parse(text);
    if (typeof answer?.error === "string") throw new Refused(answer.error);
    if (!answer || !("ok" in answer)) throw new Broken(`the module answers ${request.op} with ${text.slice(0, 80)}`);
    return answer.ok;
  }

  /**
   * Passes the octets of a request to the module, which frees them. Returns the text of the answer.
   * @param {Uint8Array} request
   * @returns {string}
   */
  exchange(request) {
    const { alloc, free, call } = this.exports;
    const at = alloc(request.length) >>> 0;
    this.octets.set(request, at);
    const packed = BigInt.asUintN(64, call(at, request.length));
    const [start, length] = [Number(packed >> 32n), Number(packed & 0xffffffffn)];
    const text = decoder.decode(this.octets.subarray(start, start + length));
    free(start, length);
    return text;
  }

  /**
   * @template T
   * @param {() => T} work
   * @returns {T}
   */
  guarded(work) {
    try {
      return work();
    } catch (error) {
      this.broken = true;
      throw new Broken(`the module failed: ${error instanceof Error ? error.message : error}`);
    }
  }

  /**
   * Makes the memory equal to a copy. Memory cannot shrink. If the memory is larger than the copy, a new instance
   * replaces this instance, and its memory grows to the size of the copy.
   * @param {number} size the size of the copy in octets
   * @param {(octets: Uint8Array) => void} fill writes the copy
   */
  restore(size, fill) {
    if (this.broken || this.octets.length !== size) {
      this.exports = this.make();
      this.broken = false;
      const missing = size - this.octets.length;
      if (missing < 0) throw new Broken(`a new instance needs more memory than the copy has: ${size} octets`);
      if (missing > 0) this.exports.memory.grow(missing / WASM_PAGE);
    }
    fill(this.octets);
  }
}
