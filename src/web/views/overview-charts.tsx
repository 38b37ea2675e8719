// The history of messages, clients and the machine as charts.

import type { Answer } from '../api/answer.ts';
import { api, ask } from '../api/client.ts';
import { Card } from '../components/card.tsx';
import { Chart } from '../components/chart.tsx';
import { Asked, Empty } from '../components/faces.tsx';
import { bytes, type Key, number, t } from '../i18n.ts';
import { useLive } from '../live.ts';

type History = Answer<'/api/v1/history'>;

export type Range = '10m' | '24h' | '30d';

/** New values come each second, minute, or quarter of an hour. */
const EVERY_MS: Readonly<Record<Range, number>> = { '10m': 3000, '24h': 60_000, '30d': 300_000 };

interface ChartRow {
  readonly title: Key;
  readonly lines: readonly (readonly [metric: string, name: Key])[];
  readonly write: (value: number) => string;
  readonly isWhole?: true;
}

const CHARTS: readonly ChartRow[] = [
  {
    title: 'overview.chartMessages',
    lines: [
      ['messages_received', 'overview.lineReceived'],
      ['messages_sent', 'overview.lineSent'],
      ['messages_dropped', 'overview.lineDropped'],
    ],
    write: (value) => number(value, 2),
  },
  { title: 'overview.chartClients', lines: [['clients', 'overview.lineClients']], write: (value) => number(value, 0), isWhole: true },
  { title: 'overview.chartMemory', lines: [['memory', 'overview.lineMemory']], write: bytes },
  { title: 'overview.chartProcessor', lines: [['cpu', 'overview.lineProcessor']], write: (value) => `${number(value)} %` },
  { title: 'overview.chartFreeMemory', lines: [['machine_memory_available', 'overview.lineFree']], write: bytes },
  { title: 'overview.chartDisk', lines: [['disk_free', 'overview.lineFree']], write: bytes },
  { title: 'overview.chartTemperature', lines: [['temperature', 'overview.lineTemperature']], write: (value) => `${number(value)} °C` },
];

/** Charts shows those of which something is known. */
export function Charts({ range }: { readonly range: Range }) {
  const history = useLive(() => ask(api.GET('/api/v1/history', { params: { query: { range } } })), EVERY_MS[range], [range]);
  return (
    <Asked live={history}>
      {(data) => {
        const shown = CHARTS.filter((row) => isKnown(data, row));
        if (shown.length === 0) return <Empty icon="gauge" words={t('overview.noHistory')} />;
        return (
          <div class="columns">
            {shown.map((row) => (
              <Card key={row.title} title={t(row.title)}>
                <Chart
                  name={t(row.title)}
                  times={timesOf(data)}
                  lines={linesOf(data, row)}
                  write={row.write}
                  isWhole={row.isWhole ?? false}
                />
              </Card>
            ))}
          </div>
        );
      }}
    </Asked>
  );
}

function isKnown({ metrics }: History, { lines }: ChartRow): boolean {
  const [first] = lines[0] ?? [];
  return metrics.some(({ name, values }) => name === first && values.some((value) => value !== null));
}

function timesOf({ from, step, metrics }: History): number[] {
  const length = metrics[0]?.values.length ?? 0;
  return Array.from({ length }, (_, index) => from / 1000 + index * step);
}

function linesOf({ metrics }: History, { lines }: ChartRow) {
  return lines.flatMap(([metric, name]) => {
    const found = metrics.find((each) => each.name === metric);
    const isShown = found !== undefined && (metric !== 'messages_dropped' || found.values.some((value) => (value ?? 0) > 0));
    return isShown ? [{ name: t(name), values: found.values }] : [];
  });
}
