import type { Json, Millis } from '../../../core/ids.ts';
import { type Random, randomInt } from '../../../core/random.ts';
import { document } from './small-documents.ts';

/** A graph of tasks that take so long, made from a seed in the shape of workflows that scientists run. */
export interface Shaped {
  readonly nodes: readonly { readonly id: string; readonly ms: Millis }[];
  readonly links: readonly (readonly [from: string, to: string])[];
}

class Drawing {
  readonly nodes: { id: string; ms: Millis }[] = [];
  readonly links: (readonly [string, string])[] = [];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** A task that takes about so long, behind those that are named. */
  task(id: string, aboutMs: Millis, behind: readonly string[]): string {
    const ms = Math.round(aboutMs / 2 + this.#random.next() * aboutMs);
    this.nodes.push({ id, ms });
    for (const from of behind) this.links.push([from, id]);
    return id;
  }
}

function range(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** Mosaics of the sky: in each of three colours images are projected, compared where they overlap, corrected, joined. */
export function mosaic(random: Random, images = 150, overlaps = 402): Shaped {
  const drawing = new Drawing(random);
  const colours = range(3).map((c) => {
    const projected = range(images).map((i) => drawing.task(`c${c}-project-${i}`, 1300, []));
    const compared = range(overlaps).map((i) => {
      const one = randomInt(random, images);
      const other = (one + 1 + randomInt(random, images - 1)) % images;
      return drawing.task(`c${c}-compare-${i}`, 1000, [projected[one]!, projected[other]!]);
    });
    const fitted = drawing.task(`c${c}-fit`, 14_000, compared);
    const model = drawing.task(`c${c}-model`, 38_000, [fitted]);
    const corrected = range(images).map((i) => drawing.task(`c${c}-correct-${i}`, 1100, [model, projected[i]!]));
    const table = drawing.task(`c${c}-table`, 3500, corrected);
    const joined = drawing.task(`c${c}-join`, 24_000, [table, ...corrected]);
    return drawing.task(`c${c}-shrink`, 2000, [joined]);
  });
  drawing.task('view', 1500, colours);
  return drawing;
}

/** Reads of a genome: split, each part filtered, converted and mapped, merged, indexed, piled up. */
export function genome(random: Random, lanes = 7, parts = 20): Shaped {
  const drawing = new Drawing(random);
  const merged = range(lanes).map((l) => {
    const split = drawing.task(`l${l}-split`, 4000, []);
    const mapped = range(parts).map((p) => {
      const filtered = drawing.task(`l${l}-filter-${p}`, 1500, [split]);
      const converted = drawing.task(`l${l}-convert-${p}`, 600, [filtered]);
      return drawing.task(`l${l}-map-${p}`, 9000, [converted]);
    });
    return drawing.task(`l${l}-merge`, 5000, mapped);
  });
  const all = drawing.task('merge', 6000, merged);
  drawing.task('pile', 9000, [drawing.task('index', 3000, [all])]);
  return drawing;
}

/** Layers in which everything hangs on some of the layer before. */
export function layers(random: Random, depth = 12, width = 25): Shaped {
  const drawing = new Drawing(random);
  let before: readonly string[] = [];
  for (const d of range(depth)) {
    before = range(width).map((w) => {
      const behind = before.filter(() => random.next() < 0.12);
      const one = before[randomInt(random, Math.max(1, before.length))];
      return drawing.task(`d${d}-${w}`, 2000, one === undefined || behind.length > 0 ? behind : [one]);
    });
  }
  return drawing;
}

/** As a document, each node of this type with its time as number. */
export function shapedDocument(id: string, { nodes, links }: Shaped, type: string): Json {
  return document(
    id,
    nodes.map((node) => [node.id, type, { n: node.ms }]),
    links.map(([from, to]) => `${from} ${to}`),
  );
}

/**
 * How long it takes where a free slot never rests while anything is ready, the oldest first: list scheduling, by a
 * reading of its own.
 */
export function listSchedule({ nodes, links }: Shaped, slots: number): Millis {
  const time = new Map(nodes.map(({ id, ms }) => [id, ms]));
  const missing = new Map(nodes.map(({ id }) => [id, 0]));
  const next = new Map<string, string[]>(nodes.map(({ id }) => [id, []]));
  for (const [from, to] of links) {
    missing.set(to, missing.get(to)! + 1);
    next.get(from)!.push(to);
  }
  const ready = nodes.flatMap(({ id }) => (missing.get(id) === 0 ? [id] : []));
  let running: { readonly id: string; readonly until: Millis }[] = [];
  let now = 0;
  for (;;) {
    while (running.length < slots && ready.length > 0) {
      const id = ready.shift()!;
      running.push({ id, until: now + time.get(id)! });
    }
    if (running.length === 0) return now;
    now = Math.min(...running.map(({ until }) => until));
    for (const { id } of running.filter(({ until }) => until === now)) {
      for (const to of next.get(id)!) {
        missing.set(to, missing.get(to)! - 1);
        if (missing.get(to) === 0) ready.push(to);
      }
    }
    running = running.filter(({ until }) => until > now);
  }
}
