import type { FileHandle } from 'node:fs/promises';
import { FlowError } from '../../core/errors.ts';
import type { Position } from '../../core/ids.ts';
import type { Source, SourceBatch, SplitReader } from '../connectors.ts';
import { CsvParser, type CsvRecord } from './csv-parser.ts';
import { openFile } from './open.ts';

/** What the text of a column becomes. With `?` an empty field is null; without, it is an error for numbers and booleans. */
export type CsvType = 'string' | 'number' | 'boolean' | 'string?' | 'number?' | 'boolean?';

export interface CsvOptions<T> {
  /** Whether the first record names the columns. Default true; without one, `columns` must name all of them. */
  readonly header?: boolean;
  /** The columns to read, by name; default all. */
  readonly columns?: readonly (keyof T & string)[];
  /** Columns that are not text. */
  readonly types?: { readonly [Name in keyof T & string]?: CsvType };
}

const CHUNK_BYTES = 1 << 16;
const SPLIT = 'all';

/** A CSV file after RFC 4180 in UTF-8, as one split. The position is the number of the record, the header not counted. */
export function csvFile<T extends object = Record<string, string>>(
  path: string,
  options: CsvOptions<T> = {},
): Source<T> {
  if (options.header === false && options.columns === undefined) {
    throw new FlowError('config.invalid', `${path}: without a header, columns must name all columns`);
  }
  return {
    description: { connector: 'csv', path, columns: options.columns === undefined ? null : [...options.columns] },
    bounded: true,
    async splits() {
      const reader = new CsvReader<T>(await openFile(path), path, options);
      try {
        await reader.readHeader();
      } finally {
        await reader.close();
      }
      return [{ id: SPLIT }];
    },
    async open(_split, from) {
      const reader = new CsvReader<T>(await openFile(path), path, options);
      try {
        await reader.readHeader();
        await reader.skip(from);
      } catch (thrown) {
        await reader.close();
        throw thrown;
      }
      return reader;
    },
  };
}

interface CsvColumn {
  readonly name: string;
  readonly index: number;
  readonly type: CsvType;
}

class CsvReader<T> implements SplitReader<T> {
  readonly #file: FileHandle;
  readonly #path: string;
  readonly #options: CsvOptions<T>;
  readonly #parser: CsvParser;
  readonly #chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  #records: CsvRecord[] = [];
  /** The next of `#records`. */
  #at = 0;
  #position: Position = 0;
  #ended = false;
  #columns: readonly CsvColumn[] = [];
  /** How many fields each record must have. */
  #width = 0;

  constructor(file: FileHandle, path: string, options: CsvOptions<T>) {
    this.#file = file;
    this.#path = path;
    this.#options = options;
    this.#parser = new CsvParser(path);
  }

  async readHeader(): Promise<void> {
    const { header = true, columns, types = {} } = this.#options;
    let names: readonly string[] = columns ?? [];
    if (header) {
      if (!(await this.#fill()))
        throw new FlowError('file.broken', `${this.#path}: is empty, where a header should stand`);
      names = this.#records[this.#at++]!.fields;
      if (new Set(names).size < names.length) this.#parser.fault(1, 'the header names a column twice');
    }
    this.#width = names.length;
    const wanted = columns ?? names;
    for (const name of [...wanted, ...Object.keys(types)]) {
      if (!names.includes(name))
        throw new FlowError('file.broken', `${this.#path}: has no column ${name}; it has ${names.join(', ')}`);
    }
    const typeOf = types as { readonly [name: string]: CsvType | undefined };
    this.#columns = wanted.map((name) => ({ name, index: names.indexOf(name), type: typeOf[name] ?? 'string' }));
  }

  async skip(count: number): Promise<void> {
    while (this.#position < count && (await this.#fill())) {
      this.#at++;
      this.#position++;
    }
  }

  async next(max: number): Promise<SourceBatch<T> | undefined> {
    if (!(await this.#fill())) return undefined;
    const first = this.#position;
    const rows: T[] = [];
    while (rows.length < max && this.#at < this.#records.length) rows.push(this.#row(this.#records[this.#at++]!));
    this.#position += rows.length;
    return { count: rows.length, at: (index) => rows[index]!, positionAfter: (index) => first + index + 1 };
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  /** Reads on until a record is there; false at the end of the file. */
  async #fill(): Promise<boolean> {
    while (this.#at >= this.#records.length) {
      if (this.#ended) return false;
      const { bytesRead } = await this.#file.read(this.#chunk, 0, CHUNK_BYTES);
      if (bytesRead > 0) this.#parser.push(this.#chunk.subarray(0, bytesRead));
      else {
        this.#ended = true;
        this.#parser.end();
      }
      this.#records = this.#parser.take().filter((record) => this.#width === 1 || !isBlank(record));
      this.#at = 0;
    }
    return true;
  }

  #row({ fields, line }: CsvRecord): T {
    if (fields.length !== this.#width) {
      this.#parser.fault(line, `has ${fields.length} fields where ${this.#width} are due`);
    }
    const row: Record<string, unknown> = {};
    for (const { name, index, type } of this.#columns) row[name] = this.#value(fields[index]!, type, name, line);
    return row as T;
  }

  #value(text: string, type: CsvType, name: string, line: number): unknown {
    if (text === '' && type.endsWith('?')) return null;
    if (type.startsWith('string')) return text;
    if (type.startsWith('number')) {
      const value = Number(text);
      if (text.trim() !== '' && Number.isFinite(value)) return value;
    } else if (text === 'true' || text === 'false') return text === 'true';
    return this.#parser.fault(line, `column ${name} should be a ${type}, not ${JSON.stringify(text.slice(0, 64))}`);
  }
}

/** A line with nothing on it, as files often end with. */
function isBlank({ fields }: CsvRecord): boolean {
  return fields.length === 1 && fields[0] === '';
}
