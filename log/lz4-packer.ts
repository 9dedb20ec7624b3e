import { createRequire } from 'node:module';
import type { Bytes } from '../core/bytes.ts';

/**
 * `lz4-wasm-nodejs` through its module's own exports. Its `compress` answers a new array for each block, and so much new
 * memory makes the collector go through the whole heap again and again: a fifth of the CPU of a pass-through.
 */
interface Module {
  readonly memory: { readonly buffer: ArrayBuffer };
  __wbindgen_malloc(bytes: number): number;
  __wbindgen_free(at: number, bytes: number): void;
  __wbindgen_add_to_stack_pointer(by: number): number;
  /** Takes the input over, and leaves where the output lies and its length at `result`. */
  compress(result: number, input: number, bytes: number): void;
}

/** Two numbers of 32 bits, on a stack that is kept at steps of 16 bytes. */
const RESULT_BYTES = 16;
/** In front of what the module makes of bytes: their plain size. */
const SIZE_BYTES = 4;

export class Lz4Packer {
  readonly #module: Module;
  #bytes = new Uint8Array(0);
  #numbers = new DataView(new ArrayBuffer(0));

  constructor() {
    this.#module = (createRequire(import.meta.url)('lz4-wasm-nodejs') as { readonly __wasm: Module }).__wasm;
  }

  /** Writes the block into `target` from `at`; answers its length, or -1 where it would be no smaller than `most`. */
  pack(plain: Bytes, target: Bytes, at: number, most: number): number {
    const module = this.#module;
    const input = module.__wbindgen_malloc(plain.length);
    this.#look();
    this.#bytes.set(plain, input);
    const result = module.__wbindgen_add_to_stack_pointer(-RESULT_BYTES);
    module.compress(result, input, plain.length);
    module.__wbindgen_add_to_stack_pointer(RESULT_BYTES);
    this.#look();
    const output = this.#numbers.getUint32(result, true);
    const bytes = this.#numbers.getUint32(result + 4, true);
    const length = bytes - SIZE_BYTES;
    if (length < most) target.set(this.#bytes.subarray(output + SIZE_BYTES, output + bytes), at);
    module.__wbindgen_free(output, bytes);
    return length < most ? length : -1;
  }

  /** The module's memory moves when it grows. */
  #look(): void {
    const { buffer } = this.#module.memory;
    if (this.#bytes.buffer === buffer) return;
    this.#bytes = new Uint8Array(buffer);
    this.#numbers = new DataView(buffer);
  }
}
