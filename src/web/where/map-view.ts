// A map in an element of the page: MapLibre with the tiles of this box. Whoever imports this file loads some 400 KB.

import 'maplibre-gl/dist/maplibre-gl.css';
import { addProtocol, type GeoJSONSource, LngLatBounds, Map as MapLibre, NavigationControl, ScaleControl, setWorkerUrl } from 'maplibre-gl';
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url';
import { PMTiles, Protocol, TileType } from 'pmtiles';
import type { Place } from './geo.ts';
import type { Ground } from './ground.ts';
import { mapStyle, type Tiles } from './map-style.ts';

/** RFC 7946 */
type Data = Parameters<GeoJSONSource['setData']>[0];
type Geometry = { type: 'Point'; coordinates: [number, number] } | { type: 'LineString'; coordinates: number[][] };

const PLACES = 'places';
const EDGE = 48;
const CLOSEST = 16;

/** Colours of what lies above the map. */
export interface MarkColours {
  readonly track: string;
  readonly text: string;
  readonly halo: string;
}

export interface MapWish {
  readonly place: HTMLElement;
  /** Address of the PMTiles file. */
  readonly tiles: string;
  readonly isDark: boolean;
  readonly colours: MarkColours;
  /** Words of MapLibre, by its names for them. */
  readonly words: Readonly<Record<string, string>>;
  readonly failed: (error: Error) => void;
}

/** MapView is one that is shown. */
export interface MapView {
  /** Who made the map: it has to be said. */
  readonly attribution: string;
  show(ground: Ground): void;
  close(): void;
}

const protocol = new Protocol({ metadata: true });

/** openMapView reads the head of the file, and shows the map. Throws when it can't be read, or the browser has no WebGL. */
export async function openMapView({ place, tiles, isDark, colours, words, failed }: MapWish): Promise<MapView> {
  setWorkerUrl(new URL(workerUrl, import.meta.url).href);
  addProtocol('pmtiles', protocol.tile);
  const file = new PMTiles(tiles);
  protocol.add(file);
  const [header, metadata] = await Promise.all([file.getHeader(), file.getMetadata() as Promise<Metadata>]);
  const map = new MapLibre({
    container: place,
    style: mapStyle(tilesOf(tiles, header.tileType, metadata), isDark),
    bounds: [header.minLon, header.minLat, header.maxLon, header.maxLat],
    attributionControl: false,
    locale: words,
    pitchWithRotate: false,
    fadeDuration: 0,
  });
  map.on('error', ({ error }) => failed(new Error(error.message)));
  map.addControl(new NavigationControl());
  map.addControl(new ScaleControl());
  await new Promise((resolve) => map.once('load', resolve));
  addPlaces(map, colours);
  let isFitted = false;
  return {
    attribution: plainText(metadata.attribution ?? ''),
    show(ground) {
      map.getSource<GeoJSONSource>(PLACES)?.setData(featuresOf(ground));
      if (!isFitted) isFitted = fit(map, ground);
    },
    close: () => map.remove(),
  };
}

interface Metadata {
  readonly attribution?: string;
  readonly vector_layers?: readonly { readonly id: string }[];
}

function tilesOf(address: string, type: TileType, { vector_layers: layers = [] }: Metadata): Tiles {
  return { url: `pmtiles://${address}`, isRaster: type !== TileType.Mvt, layers: layers.map(({ id }) => id) };
}

function addPlaces(map: MapLibre, { track, text, halo }: MarkColours): void {
  map.addSource(PLACES, { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
  const source = PLACES;
  map.addLayer({
    id: 'track',
    type: 'line',
    source,
    filter: ['==', ['get', 'kind'], 'track'],
    paint: { 'line-color': track, 'line-width': 4 },
  });
  map.addLayer({
    ...{ id: 'track-end', type: 'circle', source, filter: ['match', ['get', 'kind'], ['end', 'mark'], true, false] },
    paint: { 'circle-color': track, 'circle-radius': 7, 'circle-stroke-color': halo, 'circle-stroke-width': 2 },
  });
  map.addLayer({
    ...{ id: 'marks', type: 'symbol', source, filter: ['==', ['get', 'kind'], 'mark'] },
    layout: {
      ...{ 'text-field': ['get', 'label'], 'text-font': ['sans-serif'], 'text-size': 14, 'text-anchor': 'left' },
      ...{ 'text-offset': [0.9, 0], 'text-allow-overlap': true },
    },
    paint: { 'text-color': text, 'text-halo-color': halo, 'text-halo-width': 2 },
  });
}

function featuresOf({ marks, track }: Ground): Data {
  const feature = (properties: Readonly<Record<string, string>>, geometry: Geometry) =>
    ({ type: 'Feature', properties, geometry }) as const;
  const point = ({ lon, lat }: Place): Geometry => ({ type: 'Point', coordinates: [lon, lat] });
  const line: Geometry = { type: 'LineString', coordinates: track.map(({ lon, lat }) => [lon, lat]) };
  const features = [
    ...(track.length > 1 ? [feature({ kind: 'track' }, line)] : []),
    ...track.slice(-1).map((end) => feature({ kind: 'end' }, point(end))),
    ...marks.map((mark) => feature({ kind: 'mark', label: mark.label }, point(mark))),
  ];
  return { type: 'FeatureCollection', features };
}

/** Once: whoever looks elsewhere is not pulled back. False = there was nothing to show. */
function fit(map: MapLibre, { marks, track }: Ground): boolean {
  const bounds = new LngLatBounds();
  for (const { lon, lat } of [...marks, ...track]) bounds.extend([lon, lat]);
  if (bounds.isEmpty()) return false;
  map.fitBounds(bounds, { padding: EDGE, maxZoom: CLOSEST, animate: false });
  return true;
}

/** The file says it as HTML. */
function plainText(html: string): string {
  return new DOMParser().parseFromString(html, 'text/html').body.textContent ?? '';
}
