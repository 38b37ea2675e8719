// Lines over time, drawn by uPlot, which is loaded when the first chart appears.

import { useEffect, useRef } from 'preact/hooks';
import type uPlot from 'uplot';
import { theme } from '../appearance.ts';
import { axisTime, language, number } from '../i18n.ts';
import { valueRange } from './value-range.ts';

/** Line is one series of a chart. */
export interface Line {
  readonly name: string;
  /** Null = nothing is known of that moment. */
  readonly values: readonly (number | null)[];
}

export interface ChartProps {
  /** Says what the chart shows, for who does not see it. */
  readonly name: string;
  /** Seconds since 1970, ascending. */
  readonly times: readonly number[];
  readonly lines: readonly Line[];
  /** False = the axis begins near the least value. */
  readonly isFromZero?: boolean;
  /** Only whole numbers stand at the axis. */
  readonly isWhole?: boolean;
  /** A value holds until the next one, as that of a switch does. */
  readonly isStepped?: boolean;
  /** Writes a value at the axis. */
  readonly write?: (value: number) => string;
}

type LookOptions = Required<Pick<ChartProps, 'isFromZero' | 'isWhole' | 'write'>> & {
  readonly paths: uPlot.Series.PathBuilder | undefined;
};

const HEIGHT = 180;

/** Pixels of a character at an axis, and what lies between the words and the lines. */
const CHARACTER = 7;
const GAP = 10;

/** Pixels of half a time: that much of it may stand beyond the lines. */
const HALF_TIME = 38;

/** Steps of whole numbers: uPlot takes the first that leaves room. */
const WHOLE_STEPS = [0, 1, 2, 3, 4, 5, 6, 7, 8].flatMap((power) => [1, 2, 5].map((each) => each * 10 ** power));
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Steps of times in seconds, from a second to some months. */
const TIME_STEPS = [
  ...[1, 2, 5, 10, 15, 30],
  ...[1, 2, 5, 10, 15, 30].map((each) => each * MINUTE),
  ...[1, 2, 3, 6, 12].map((each) => each * HOUR),
  ...[1, 2, 5, 10, 30, 90].map((each) => each * DAY),
];
const COLOURS = ['--line-1', '--line-2', '--line-3'];

/** Chart is as wide as its place. */
export function Chart({ name, times, lines, write = (value) => number(value), ...wanted }: ChartProps) {
  const { isFromZero = true, isWhole = false, isStepped = false } = wanted;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = [times, ...lines.map(({ values }) => values)] as unknown as uPlot.AlignedData; // it does not change them
  const latest = useRef(data);
  latest.current = data;
  const look = `${theme.value} ${language()} ${isStepped} ${lines.map((each) => each.name).join()}`;
  useEffect(() => {
    const box = place.current!; // it is rendered
    let isOver = false;
    const fit = new ResizeObserver(() => plot.current?.setSize({ width: box.clientWidth, height: HEIGHT }));
    const dark = matchMedia('(prefers-color-scheme: dark)');
    const draw = async () => {
      const [{ default: UPlot }] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]);
      if (isOver) return;
      plot.current?.destroy();
      plot.current = new UPlot(
        optionsOf(box, lines, { isFromZero, isWhole, write, paths: isStepped ? UPlot.paths.stepped?.({ align: 1 }) : undefined }),
        latest.current,
        box,
      );
    };
    const redraw = () => void draw();
    fit.observe(box);
    dark.addEventListener('change', redraw);
    redraw();
    return () => {
      isOver = true;
      fit.disconnect();
      dark.removeEventListener('change', redraw);
      plot.current?.destroy();
      plot.current = null;
    };
  }, [look]);
  useEffect(() => plot.current?.setData(data));
  return <div ref={place} class="chart" role="img" aria-label={name} />;
}

function optionsOf(box: HTMLElement, lines: readonly Line[], { isFromZero, isWhole, write, paths }: LookOptions): uPlot.Options {
  const style = getComputedStyle(box);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: colour('--muted'),
    font: `12px ${style.fontFamily}`,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    cursor: { y: false },
    padding: [8, HALF_TIME, 0, 0],
    hooks: { setLegend: [showLatest], setData: [showLatest] },
    legend: { live: true },
    scales: {
      x: { range: (_, first, last) => (first != null && last - first < 1 ? [first - 1, last + 1] : [first, last]) },
      y: { range: ({ data: [, ...values] }) => valueRange(values, isFromZero) },
    },
    axes: [
      {
        ...axis,
        space: 84,
        size: 32,
        incrs: TIME_STEPS,
        values: (_, splits, _axis, _space, step) => eachOnce(splits.map((at) => timeLabel(at, step))),
      },
      {
        ...axis,
        size: (_, labels) => Math.max(HALF_TIME, Math.max(0, ...(labels ?? []).map((each) => each.length)) * CHARACTER + GAP),
        values: (_, splits) => splits.map(write),
        ...(isWhole ? { incrs: WHOLE_STEPS } : {}),
      },
    ],
    series: [
      { label: '', value: (_, at) => (at === null ? '' : timeLabel(at, 1)) },
      ...lines.map(({ name }, index) => ({
        label: name,
        stroke: colour(COLOURS[index % COLOURS.length]!),
        fill: index === 0 ? `${colour(COLOURS[0]!)}1f` : undefined,
        width: 2,
        points: { show: false },
        ...(paths === undefined ? {} : { paths }),
        value: (_: uPlot, value: number | null) => (value === null ? '–' : write(value)),
      })),
    ] as uPlot.Series[],
  };
}

/** The latest values stand below the chart while nobody points at others. */
function showLatest(plot: uPlot): void {
  const last = plot.data[0].length - 1;
  if (plot.cursor.idx == null && plot.legend.idx !== last && last >= 0) plot.setLegend({ idx: last }, false);
}

/** Within one second the labels are the same. */
function eachOnce(labels: readonly string[]): string[] {
  return labels.map((label, index) => (label === labels[index - 1] ? '' : label));
}

/** uPlot counts in seconds. */
function timeLabel(at: number, step: number): string {
  return axisTime(at * 1000, step * 1000);
}
