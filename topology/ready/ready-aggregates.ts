import type { AnyAggregate } from '../add-aggregate.ts';
import type { Place } from '../wire.ts';
import type { DistinctOptions, QuantilesOptions, ReadyOptions, TopOptions } from './ready-options.ts';
import { READY } from './table.ts';

/** Aggregates that are there already, for every handle that aggregates. */
export abstract class ReadyAggregates {
  abstract aggregate(options: AnyAggregate): Place;

  sum(options: ReadyOptions<unknown, unknown, number>): Place {
    return this.aggregate(READY.sum(options));
  }

  min(options: ReadyOptions<unknown, unknown, number>): Place {
    return this.aggregate(READY.min(options));
  }

  max(options: ReadyOptions<unknown, unknown, number>): Place {
    return this.aggregate(READY.max(options));
  }

  mean(options: ReadyOptions<unknown, unknown, number>): Place {
    return this.aggregate(READY.mean(options));
  }

  distinctCount(options: DistinctOptions<unknown, unknown>): Place {
    return this.aggregate(READY.distinctCount(options));
  }

  quantiles(options: QuantilesOptions<unknown, unknown>): Place {
    return this.aggregate(READY.quantiles(options));
  }

  topK(options: TopOptions<unknown, unknown>): Place {
    return this.aggregate(READY.topK(options));
  }
}
