import type { ByteWriter } from '../../core/bytes.ts';
import { compile, Scope } from './code.ts';
import { type AvroType, mostBytes } from './model.ts';
import { Writing } from './write.ts';

/** Makes the encoder of a type: straight into the writer; what a failed value has written is taken back. */
export function encoder(
  type: AvroType,
  name: string,
  id: number | undefined,
): (value: unknown, out: ByteWriter) => void {
  const scope = new Scope();
  const writing = new Writing(scope);
  const where = type.kind === 'record' ? type.name : name;
  const room = (mostBytes(type) ?? 0) + 5;
  const body =
    type.kind === 'record' && !type.recursive
      ? `const d = 0; ${writing.fields(type)}`
      : `const d = 0; ${writing.write(type, 'v', where, 0)}`;
  return compile(
    `${writing.prelude()}
    return (v, w) => {
      const before = w.at;
      try {
        w.reserve(${room});
        let b = w.bytes, p = before;
        ${writeHeader(id)}
        ${body}
        w.at = p;
      } catch (thrown) {
        w.at = before;
        throw thrown;
      }
    };`,
    scope.constants,
  );
}

/** Statements that write the header at `p`, where five bytes are free. */
export function writeHeader(id: number | undefined): string {
  if (id === undefined) return '';
  const bytes = [0, (id >>> 24) & 255, (id >>> 16) & 255, (id >>> 8) & 255, id & 255];
  return bytes.map((byte) => `b[p++] = ${byte};`).join(' ');
}
