import { hash } from 'node:crypto';

/** A count and a sum of hashes: equal for equal lines in whatever order. */
export class Digest {
  lines = 0;
  #sum = 0n;

  readonly add = (line: string): void => {
    this.lines++;
    this.#sum += hash('md5', line, 'buffer').readBigUInt64BE(0);
  };

  get text(): string {
    return (this.#sum & 0xffff_ffff_ffff_ffffn).toString(16);
  }
}
