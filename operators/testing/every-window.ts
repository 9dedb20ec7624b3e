import { int64, type Serde, sessionWindowed, string, type Windowed, windowed } from '../../schemas/schemas.ts';
import {
  calendar,
  counts,
  cumulative,
  custom,
  type Program,
  session,
  sliding,
  topic,
  topology,
  unlimited,
  type WindowSpan,
} from '../../topology/topology.ts';
import { EVENTS, testProgram } from './everything.ts';
import type { TestProgram } from './test-task.ts';

/**
 * Windows of every kind that does not stand in {@link everything}, with updates and final results; sums lie in cells,
 * texts in bytes.
 */
export function everyWindow(): TestProgram {
  return testProgram(windowsOfEveryKind());
}

/** The same, as it is run. */
export function windowsOfEveryKind(): Program {
  const app = topology('every-window');
  const events = app.stream(EVENTS).filter((value): value is number => value !== null);
  const grouped = events.groupByKey();
  const texts = events.mapValues(String).groupByKey();
  const text = { value: string(), initial: () => '', add: (all: string, one: string) => `${all}${one}` };
  const sum = { value: int64(), add: (all: number, one: number) => all + one };
  const merge = (a: string, b: string) => `${a}&${b}`;
  const key = sessionWindowed(string());
  const out = (name: string) => topic(name, { key, value: string(), partitions: 1 });
  const show = <K>(name: string, key: Serde<Windowed<K>>) => topic(name, { key, value: int64(), partitions: 1 });

  const slides = grouped.window(sliding({ difference: 7, grace: 4 })).reduce({ store: 'slides', ...sum });
  slides.toStream().to(show('slide-updates', windowed(string(), 7)));
  slides
    .suppress()
    .toStream()
    .to(show('slide-finals', windowed(string(), 7)));
  const slideTexts = texts
    .window(sliding({ difference: 5 }))
    .emitOnClose()
    .aggregate({ store: 'slide-texts', ...text });
  slideTexts.toStream().to(topic('slide-texts', { key: windowed(string(), 5), value: string(), partitions: 1 }));

  const sessions = grouped.window(session({ gap: 4, grace: 3 })).count({ store: 'sessions' });
  sessions
    .toStream()
    .mapValues((count) => `${count}`)
    .to(out('session-updates'));
  sessions.suppress().toStream().to(show('session-finals', key));
  const talks = texts.window(session({ gap: 3, grace: 5 })).emitOnClose();
  talks
    .aggregate({ store: 'talks', ...text, merge, retention: 20 })
    .toStream()
    .to(out('talks'));
  const visits = texts
    .window(session({ gap: (value) => Number(value) + 1, grace: 2 }))
    .aggregate({ store: 'visits', ...text, merge });
  visits
    .toStream()
    .leftJoinTable(visits, { merge: (own, again) => `${own}=${again}` })
    .to(out('visit-updates'));
  visits.suppress().toStream().to(out('visit-finals'));

  const spans = custom<string, string>({
    name: 'spans',
    assign: (time, value) => [
      { start: time, end: time + 3 },
      { start: Math.floor(time / 10) * 10, end: Math.floor(time / 10) * 10 + 10 + Number(value) },
    ],
    merge: (a, b) => (a.start < b.end && b.start < a.end ? union(a, b) : undefined),
    close: ({ end }) => end + 6,
  });
  const merged = texts.window(spans).aggregate({ store: 'merged', ...text, merge });
  merged
    .toStream()
    .mapValues((value) => `${value}`)
    .to(out('merged-updates'));
  merged.suppress().toStream().to(out('merged-finals'));
  const apart = custom<number, string>({ name: 'apart', assign: (time) => ({ start: time, end: time + 2 }), grace: 3 });
  grouped.window(apart).emitOnClose().count({ store: 'apart' }).toStream().to(show('apart', key));

  const threes = grouped.window(counts({ size: 3, every: 2 })).reduce({ store: 'threes', ...sum });
  threes.toStream().to(show('three-updates', key));
  threes.suppress().toStream().to(show('three-finals', key));
  const steps = grouped.window(cumulative({ step: 4, max: 12, grace: 3 })).count({ store: 'steps' });
  steps.toStream().to(show('step-updates', key));
  steps.suppress().toStream().to(show('step-finals', key));
  const days = grouped.window(calendar({ unit: 'day', timeZone: 'Europe/Berlin', grace: 1 })).count({ store: 'days' });
  days
    .toStream()
    .leftJoinTable(days, { merge: (a, b) => `${a}=${b}` })
    .to(out('day-updates'));
  days.suppress().toStream().to(show('day-finals', key));
  const ever = grouped.window(unlimited({ start: 30 })).count({ store: 'ever' });
  ever.toStream().to(show('ever-updates', windowed(string(), Number.POSITIVE_INFINITY)));
  ever
    .suppress()
    .toStream()
    .to(show('ever-finals', windowed(string(), Number.POSITIVE_INFINITY)));
  return app.build();
}

function union(a: WindowSpan, b: WindowSpan): WindowSpan {
  return { start: Math.min(a.start, b.start), end: Math.max(a.end, b.end) };
}
