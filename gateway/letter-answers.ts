import type { LetterView, RedrivenLetter, ShownBytes, WholeLetter } from '../workflows/workflows.ts';
import { list, orNull, pageOf, shape, whole, wholeOrNull, words, yes } from './answer-shapes.ts';
import { LETTER_KIND as kind } from './letter-schemas.ts';
import { anything, nullable, object } from './request-schemas.ts';

/** JSON Schemas of what answers about dead letters hold. */
type Place = NonNullable<LetterView['from']>;
type Mark = NonNullable<LetterView['redriven']>;
type Whole = NonNullable<WholeLetter['record']>;

const position = { topic: words, partition: whole, position: whole } as const;
const place = nullable(shape<Place>(position));
const mark = { at: whole, by: orNull, to: place, times: whole } as const;
const shown = nullable(
  shape<ShownBytes>({ bytes: whole, text: words, json: anything, base64: words }, ['text', 'json', 'base64']),
);
const header = shape<Whole['headers'][number]>({ name: words, value: shown });

const view = {
  ...{ id: words, kind, at: whole },
  ...{ application: orNull, task: orNull, workflow: orNull, execution: orNull, node: orNull },
  iteration: words,
  /** Where it was read. */
  from: place,
  ...{ reason: words, class: orNull, code: orNull, message: words },
  /** How often what it holds had been redriven before. */
  redrives: whole,
  redriven: nullable(shape<Mark>(mark)),
} as const;
export const LETTER_PAGE = pageOf(shape<LetterView>(view));
export const LETTER = shape<WholeLetter>({
  ...view,
  record: nullable(
    shape<Whole>({
      ...{ key: shown, value: shown, timestamp: whole },
      ...{ headers: list(header), hidden: list(words), ofNode: yes },
    }),
  ),
  input: anything,
});
export const REDRIVEN = shape<RedrivenLetter>({
  ...{ id: words, kind, existing: yes },
  ...mark,
  ...{ execution: orNull, seq: wholeOrNull },
});
const outcome = object(
  {
    id: words,
    kind: { enum: [...kind.enum, null] },
    outcome: { enum: ['redriven', 'existing', 'ready', 'refused'] },
    ...mark,
    // of a preview it is not known where in its partition it will stand
    to: nullable(shape<Place>(position, ['position'])),
    ...{ code: words, why: words },
  },
  ['id', 'kind', 'outcome'],
);
export const REDRIVEN_PAGE = pageOf(outcome);
