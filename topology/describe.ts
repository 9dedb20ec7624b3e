import { describeDot } from './describe-dot.ts';
import { describeMermaid } from './describe-mermaid.ts';
import { describeText } from './describe-text.ts';
import type { Plan } from './plan.ts';

export type DescribeFormat = 'text' | 'mermaid' | 'dot';

/** A plan for people: stages with their nodes, topics with partitions, stores, windows. Equal plans, equal text. */
export function describe(plan: Plan, format: DescribeFormat = 'text'): string {
  switch (format) {
    case 'text':
      return describeText(plan);
    case 'mermaid':
      return describeMermaid(plan);
    case 'dot':
      return describeDot(plan);
  }
}
