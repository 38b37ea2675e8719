// Places and a track without a map: north is up, and a metre is as long to the east as to the north.

import { length, t } from '../i18n.ts';
import { type Flat, flattened, greatest, least, roundLength } from './geo.ts';
import type { Ground } from './ground.ts';

/** Of the sheet, in its own units. */
const WIDTH = 640;
const HEIGHT = 420;
const EDGE = 48;

/** Metres that the sheet shows at least: a phone on a table wanders by some. */
const LEAST_SPAN = 200;

/** Share of the sheet that the scale may take. */
const SCALE_SHARE = 0.3;

/** TrackPlot draws it. */
export function TrackPlot({ name, marks, track }: Ground) {
  const flat = flattened([...marks, ...track]);
  if (flat.length === 0) return null;
  const sheet = sheetFor(flat);
  const line = flat.slice(marks.length).map((each) => sheet.at(each));
  const bar = roundLength((WIDTH * SCALE_SHARE) / sheet.unitsPerMetre);
  const barWidth = bar * sheet.unitsPerMetre;
  return (
    <svg class="track-plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={name}>
      {line.length > 1 && <path class="track" d={`M${line.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`).join('L')}`} />}
      {line.map(({ x, y }, index) => (
        <circle
          key={index}
          class={index === line.length - 1 ? 'track-end' : 'track-point'}
          cx={x}
          cy={y}
          r={index === line.length - 1 ? 7 : 3}
        />
      ))}
      {marks.map((mark, index) => {
        const { x, y } = sheet.at(flat[index] ?? { x: 0, y: 0 });
        const isRight = x > WIDTH / 2;
        return (
          <g key={mark.key}>
            <circle class="mark" cx={x} cy={y} r={8} />
            <text x={isRight ? x - 13 : x + 13} y={y + 5} text-anchor={isRight ? 'end' : 'start'}>
              {mark.label}
            </text>
          </g>
        );
      })}
      <g class="plot-frame">
        <path d={`M16 ${HEIGHT - 22}v6h${barWidth.toFixed(1)}v-6`} />
        <text x={16 + barWidth / 2} y={HEIGHT - 26} text-anchor="middle" class="scale">
          {length(bar)}
        </text>
        <path d={`M${WIDTH - 24} 44v-28m-6 9l6-9l6 9`} />
        <text x={WIDTH - 24} y={62} text-anchor="middle">
          {t('where.north')}
        </text>
      </g>
    </svg>
  );
}

interface Sheet {
  readonly unitsPerMetre: number;
  at(place: Flat): Flat;
}

function sheetFor(places: readonly Flat[]): Sheet {
  const [xs, ys] = [places.map(({ x }) => x), places.map(({ y }) => y)];
  const span = (values: readonly number[]) => Math.max(LEAST_SPAN, greatest(values) - least(values));
  const unitsPerMetre = Math.min((WIDTH - 2 * EDGE) / span(xs), (HEIGHT - 2 * EDGE) / span(ys));
  const middle = (values: readonly number[]) => (greatest(values) + least(values)) / 2;
  const [left, up] = [middle(xs), middle(ys)];
  return {
    unitsPerMetre,
    at: ({ x, y }) => ({ x: WIDTH / 2 + (x - left) * unitsPerMetre, y: HEIGHT / 2 - (y - up) * unitsPerMetre }),
  };
}
