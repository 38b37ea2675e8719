// Draws docs/floor-plan.svg from the floor plan in ARCHITECTURE.md: a house with the rooms on their floors.
// node build/floor-plan.ts

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** FLOOR_PLAN_FILE is where the drawing is kept. */
export const FLOOR_PLAN_FILE = join(ROOT, 'docs/floor-plan.svg');

/** Floor is one line of the plan, and what continues it: ` 3  reception    config/  operations/        text to options`. */
export interface Floor {
  readonly number: number;
  readonly name: string;
  readonly rooms: readonly string[];
}

/** readFloors gives the floors of the plan in ARCHITECTURE.md, the highest first. */
export function readFloors(): readonly Floor[] {
  const plan = readFileSync(join(ROOT, 'ARCHITECTURE.md'), 'utf8').split('```')[1] ?? '';
  return [...plan.matchAll(/^ (\d) {2}(.+?) {2,}(.+(?:\n {6,}.+)*)$/gm)].map(([, number, name = '', line = '']) => ({
    number: Number(number),
    name,
    rooms: line.match(/[\w.-]+(?:\/|\.ts)/g) ?? [],
  }));
}

/** Pixels. Every room is as wide as its name. */
const WALL = 40;
const INNER = 800;
const ROOM = 36;
const GAP = 10;
const NAME = 130;
const LETTER = 8.6;

/** Colours are readable on a light and on a dark page. */
const LINE = '#7d8590';
const FILLS = ['#5a6572', '#1b7a6e', '#2d66b3', '#2d66b3', '#8a4fa8', '#8a4fa8', '#a8501f'];

/** drawFloorPlan gives the drawing. */
export function drawFloorPlan(floors: readonly Floor[]): string {
  let top = 110;
  const parts: string[] = [];
  for (const floor of floors) {
    const { rooms, bottom } = drawRooms(floor, top);
    const words = `${floor.number}  ${floor.name}`;
    parts.push(`  <text x="${WALL + GAP}" y="${top + GAP + 23}" fill="${LINE}">${words}</text>`, ...rooms);
    parts.push(`  <path d="M${WALL} ${bottom}H${WALL + INNER}" stroke="${LINE}" stroke-width="2"/>`);
    top = bottom;
  }
  const [right, middle] = [WALL + INNER, WALL + INNER / 2];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${INNER + 2 * WALL} ${top + 10}" role="img" aria-label="Floor plan of the source code" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="15">
  <path d="M10 110 ${middle} 12 ${right + 30} 110ZM${WALL} 110V${top}M${right} 110V${top}" fill="none" stroke="${LINE}" stroke-width="3" stroke-linejoin="round"/>
  <text x="${middle}" y="82" fill="${LINE}" text-anchor="middle">a room imports from lower floors only</text>
${parts.join('\n')}
</svg>
`;
}

/** drawRooms puts the rooms of a floor side by side, in as many rows as they need. */
function drawRooms({ number, rooms }: Floor, top: number): { rooms: string[]; bottom: number } {
  let [x, y] = [WALL + NAME, top + GAP];
  const drawn = rooms.map((room) => {
    const width = Math.round(room.length * LETTER + 24);
    if (x + width > WALL + INNER - GAP) [x, y] = [WALL + NAME, y + ROOM + GAP];
    const box = `  <rect x="${x}" y="${y}" width="${width}" height="${ROOM}" rx="6" fill="${FILLS[number]}"/>`;
    const name = `<text x="${x + width / 2}" y="${y + 23}" fill="#fff" text-anchor="middle">${room}</text>`;
    x += width + GAP;
    return `${box}${name}`;
  });
  return { rooms: drawn, bottom: y + ROOM + GAP };
}

if (import.meta.main) writeFileSync(FLOOR_PLAN_FILE, drawFloorPlan(readFloors()));
