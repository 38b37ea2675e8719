// How the broker and its machine fared until now, for charts.

import { z } from 'zod';
import { HISTORY_RANGES, type HistoryRange } from '../telemetry/history/history.ts';
import { HISTORY_METRICS } from '../telemetry/history/metrics.ts';
import type { OperationNeeds } from './needs.ts';
import { OperationFailure, operation } from './operation.ts';

const RANGES = Object.keys(HISTORY_RANGES) as [HistoryRange, ...HistoryRange[]]; // of the object above
const NAMES = HISTORY_METRICS.map(({ name }) => name);

const METRIC = z.object({
  name: z.string(),
  unit: z.string().describe('such as `messages/s` or `bytes`'),
  help: z.string(),
  values: z.array(z.number().nullable()).describe('the oldest first, one each step; null = not measured, as while the broker did not run'),
});

/** HISTORY gives it. */
export const HISTORY = operation({
  name: 'history',
  kind: 'query',
  right: 'monitoring',
  summary: 'Metrics of the last ten minutes by seconds, of the last day by minutes, or of the last 30 days by quarters of an hour.',
  input: z.strictObject({
    range: z.enum(RANGES).default('10m'),
    metric: z.array(z.enum(NAMES)).nullish().describe('only these'),
    since: z.number().min(0).nullish().describe('only values after this moment, in milliseconds since 1970'),
  }),
  output: z.object({
    step: z.number().describe('seconds between two values'),
    from: z.number().describe('moment of the first values, in milliseconds since 1970'),
    metrics: z.array(METRIC),
  }),
  run: (needs, { range, metric, since }) => {
    const names = metric == null || metric.length === 0 ? null : new Set(metric);
    const { step, from, curves } = historyOf(needs).extract(range, names, since ?? 0);
    return { step, from, metrics: curves.map(({ values, ...rest }) => ({ ...rest, values: values.map(asShown) })) };
  },
});

function asShown(value: number): number | null {
  return Number.isNaN(value) ? null : Number(value.toPrecision(7)); // as many digits as are kept
}

function historyOf({ history }: OperationNeeds) {
  if (history === null)
    throw new OperationFailure('not possible', 'Cannot tell the history: it is kept where a listener has "protocol http"');
  return history;
}
