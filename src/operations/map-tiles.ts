// The map that the owner has put into the state folder, as a file of tiles: midge fetches none from elsewhere.

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { operation } from './operation.ts';

/** The map's name in the state folder. https://docs.protomaps.com/pmtiles/ */
const FILE_NAME = 'tiles.pmtiles';

/** MAP_TILES says whether there is one. */
export const MAP_TILES = operation({
  name: 'map tiles',
  kind: 'query',
  right: 'viewer',
  summary: 'Whether the owner has put a map (PMTiles) into the state folder; GET /api/v1/map/tiles.pmtiles gives its bytes, by ranges too.',
  input: z.strictObject({}),
  output: z.object({ file: z.string().describe('where it belongs'), bytes: z.number().int().nullable().describe('null = there is none') }),
  run: ({ state }) => {
    const file = mapTilesFile(state.path);
    const stats = lstatSync(file, { throwIfNoEntry: false });
    return { file, bytes: stats?.isFile() === true ? stats.size : null };
  },
});

/** mapTilesFile gives its path in a state folder. */
export function mapTilesFile(stateFolder: string): string {
  return join(stateFolder, FILE_NAME);
}
