import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  avro,
  csvFile,
  topology as defineTopology,
  type FromAvro,
  type KeyValueStore,
  keyValueStore,
  type ProcessContext,
  parquetFile,
  string,
  topic,
  tumbling,
  type Windowed,
  windowed,
} from '../../index.ts';

/**
 * Departures and delays per airport and hour, from three million flights.
 *
 * Both files become topics keyed by airport code, in four partitions. Each flight meets its airport in a table, so
 * that only flights from known airports count; windows of an hour of event time sum up; when a window closes, its
 * final result gets the airport's name from the same table.
 */
export const HOUR_MS = 3_600_000;
const DELAYED_MINUTES = 15;
const PARTITIONS = 4;

/** A data file of the package `vega-datasets`. */
export function dataFile(name: string): string {
  return join(dirname(fileURLToPath(import.meta.resolve('vega-datasets'))), '..', 'data', name);
}

const flightSchema = {
  type: 'record',
  name: 'Flight',
  fields: [
    { name: 'date', type: { type: 'long', logicalType: 'timestamp-millis' } },
    { name: 'delay', type: 'int' },
    { name: 'distance', type: 'int' },
    { name: 'origin', type: 'string' },
    { name: 'destination', type: 'string' },
  ],
} as const;
const flight = avro(flightSchema);
type Flight = FromAvro<typeof flightSchema>;

const airportSchema = {
  type: 'record',
  name: 'Airport',
  fields: [
    { name: 'iata', type: 'string' },
    { name: 'name', type: 'string' },
    { name: 'city', type: 'string' },
    { name: 'state', type: 'string' },
  ],
} as const;
const airport = avro(airportSchema);
type Airport = FromAvro<typeof airportSchema>;

const sumsSchema = {
  type: 'record',
  name: 'Sums',
  fields: [
    { name: 'departures', type: 'int' },
    { name: 'delay', type: 'long' },
    { name: 'worst', type: 'int' },
    { name: 'delayed', type: 'int' },
  ],
} as const;
const sums = avro(sumsSchema);
type Sums = FromAvro<typeof sumsSchema>;

const airportHourSchema = {
  type: 'record',
  name: 'AirportHour',
  fields: [
    { name: 'departures', type: 'int' },
    { name: 'meanDelay', type: 'double' },
    { name: 'worstDelay', type: 'int' },
    { name: 'delayedShare', type: 'double' },
    { name: 'name', type: 'string' },
    { name: 'city', type: 'string' },
    { name: 'state', type: 'string' },
  ],
} as const;
const airportHour = avro(airportHourSchema);
export type AirportHour = FromAvro<typeof airportHourSchema>;

export const flights = topic('flights', { key: string(), value: flight, partitions: PARTITIONS });
export const airports = topic('airports', { key: string(), value: airport, partitions: PARTITIONS });
export const airportHours = topic('airport-hours', {
  key: windowed(string(), HOUR_MS),
  value: airportHour,
  partitions: PARTITIONS,
});

/** Looks up the airport of a closed window. */
function nameAirport() {
  return {
    process(totals: Sums, hour: Windowed<string>, context: ProcessContext<Windowed<string>, AirportHour>) {
      const store = context.store('airports') as KeyValueStore<string, Airport>;
      const found = store.get(hour.key);
      context.forward(hour, {
        departures: totals.departures,
        meanDelay: totals.delay / totals.departures,
        worstDelay: totals.worst,
        delayedShare: totals.delayed / totals.departures,
        name: found?.name ?? '',
        city: found?.city ?? '',
        state: found?.state ?? '',
      });
    },
  };
}

export const topology = defineTopology('flights');

topology
  .read(csvFile<Airport>(dataFile('airports.csv'), { columns: ['iata', 'name', 'city', 'state'] }), {
    name: 'airports-file',
    key: (row) => row.iata,
    keySerde: string(),
    value: airport,
    time: () => 0,
  })
  .to(airports);

topology
  .read(
    parquetFile<Flight>(dataFile('flights-3m.parquet'), {
      columns: ['date', 'delay', 'distance', 'origin', 'destination'],
    }),
    {
      name: 'flights-file',
      key: (row) => row.origin,
      keySerde: string(),
      value: flight,
      time: (row) => row.date,
    },
  )
  .to(flights);

topology
  .stream(flights)
  .joinTable(topology.table(airports, { store: 'airports' }), { merge: (each) => each })
  .groupByKey()
  .window(tumbling({ hours: 1 }))
  .aggregate({
    store: 'airport-hours',
    value: sums,
    initial: () => ({ departures: 0, delay: 0, worst: 0, delayed: 0 }),
    add(hour, each) {
      hour.departures++;
      hour.delay += each.delay;
      if (hour.departures === 1 || each.delay > hour.worst) hour.worst = each.delay;
      if (each.delay > DELAYED_MINUTES) hour.delayed++;
    },
  })
  .suppress()
  .toStream()
  .processValues({
    name: 'name-airport',
    stores: [keyValueStore('airports', { key: string(), value: airport })],
    supplier: nameAirport,
    key: windowed(string(), HOUR_MS),
    value: airportHour,
  })
  .to(airportHours);
