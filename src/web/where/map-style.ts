// How the tiles of the owner look, whatever made them: layers are known by the words in their names (Protomaps, OpenMapTiles, Shortbread). Names are
// drawn with the fonts of the reader's system, so that no file of glyphs or pictures is needed.
// https://maplibre.org/maplibre-style-spec/

import type { LayerSpecification, StyleSpecification } from 'maplibre-gl';

/** TILES is the name of the source. */
export const TILES = 'tiles';

/** Tiles are what stands in the head of the file. */
export interface Tiles {
  /** `pmtiles://` and the address of the file. */
  readonly url: string;
  readonly isRaster: boolean;
  /** Names of the layers of vector tiles. */
  readonly layers: readonly string[];
}

interface Palette {
  readonly land: string;
  readonly green: string;
  readonly water: string;
  readonly building: string;
  readonly road: string;
  readonly edge: string;
  readonly text: string;
}

const LIGHT: Palette = {
  ...{ land: '#f4f1ea', green: '#dbe8cf', water: '#b5d3e7', building: '#ddd5c9' },
  ...{ road: '#ffffff', edge: '#b9b1a4', text: '#33302b' },
};
const DARK: Palette = {
  ...{ land: '#1b2229', green: '#1f2d26', water: '#14293a', building: '#2a333c' },
  ...{ road: '#46525e', edge: '#59646f', text: '#d5dbe1' },
};

/** mapStyle gives the style of tiles. */
export function mapStyle({ url, isRaster, layers }: Tiles, isDark: boolean): StyleSpecification {
  const colours = isDark ? DARK : LIGHT;
  const background: LayerSpecification = { id: 'background', type: 'background', paint: { 'background-color': colours.land } };
  const shown: readonly LayerSpecification[] = isRaster
    ? [{ id: 'pictures', type: 'raster', source: TILES, paint: isDark ? { 'raster-brightness-max': 0.7 } : {} }]
    : vectorLayers(layers, colours);
  const source = isRaster ? ({ type: 'raster', url, tileSize: 256 } as const) : ({ type: 'vector', url } as const);
  return { version: 8, sources: { [TILES]: source }, layers: [background, ...shown] };
}

/** A kind of layer is drawn above those before it. */
const KINDS: readonly (readonly [names: RegExp, make: (layer: string, colours: Palette) => readonly LayerSpecification[]])[] = [
  [/green|park|wood|landuse|landcover|natural/, (layer, { green }) => [area(layer, green)]],
  [/water|ocean|sea|river|lake/, (layer, { water }) => [area(layer, water), line(layer, water, 1)]],
  [/building/, (layer, { building }) => [area(layer, building)]],
  [/road|street|transport|highway|path/, (layer, { road, edge }) => [line(layer, edge, 3.5, '-edge'), line(layer, road, 2.5)]],
  [/bound|admin|border/, (layer, { edge }) => [line(layer, edge, 1)]],
  [/place|city|cities|town|settlement/, (layer, colours) => [names(layer, colours)]],
];

function vectorLayers(layers: readonly string[], colours: Palette): readonly LayerSpecification[] {
  const known = KINDS.flatMap(([pattern, make]) =>
    layers.filter((each) => pattern.test(each.toLowerCase())).flatMap((each) => make(each, colours)),
  );
  return known.length > 0 ? known : layers.map((each) => line(each, colours.edge, 1));
}

function area(layer: string, colour: string): LayerSpecification {
  return {
    ...{ id: `${layer}-area`, type: 'fill', source: TILES, 'source-layer': layer },
    filter: ['match', ['geometry-type'], ['Polygon', 'MultiPolygon'], true, false],
    paint: { 'fill-color': colour },
  };
}

/** As wide as `width` pixels in a town, and less above it. */
function line(layer: string, colour: string, width: number, suffix = '-line'): LayerSpecification {
  return {
    ...{ id: `${layer}${suffix}`, type: 'line', source: TILES, 'source-layer': layer },
    filter: ['match', ['geometry-type'], ['LineString', 'MultiLineString'], true, false],
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: { 'line-color': colour, 'line-width': ['interpolate', ['exponential', 1.5], ['zoom'], 6, width / 6, 14, width, 18, width * 4] },
  };
}

function names(layer: string, { text, land }: Palette): LayerSpecification {
  return {
    ...{ id: `${layer}-names`, type: 'symbol', source: TILES, 'source-layer': layer },
    filter: ['match', ['geometry-type'], ['Point', 'MultiPoint'], true, false],
    layout: { 'text-field': ['coalesce', ['get', 'name'], ''], 'text-font': ['sans-serif'], 'text-size': 12 },
    paint: { 'text-color': text, 'text-halo-color': land, 'text-halo-width': 1.5 },
  };
}
