// Places and a track: on the map that the owner has put into the box, or else on a plain sheet.

import { useEffect, useRef, useState } from 'preact/hooks';
import { theme } from '../appearance.ts';
import { language, t } from '../i18n.ts';
import type { Ground } from './ground.ts';
import type { MapView, MarkColours } from './map-view.ts';
import { TrackPlot } from './track-plot.tsx';

const TILES = '/api/v1/map/tiles.pmtiles';

export interface GroundViewProps extends Ground {
  /** There is a map. */
  readonly hasTiles: boolean;
}

/** GroundView shows it; where the map can't be drawn the sheet takes its place. */
export function GroundView({ hasTiles, ...ground }: GroundViewProps) {
  const [hasFailed, setFailed] = useState(false);
  if (!hasTiles || hasFailed)
    return (
      <>
        {hasFailed && <p class="hint">{t('where.noMap')}</p>}
        <TrackPlot {...ground} />
      </>
    );
  return <MapBox ground={ground} failed={() => setFailed(true)} />;
}

function MapBox({ ground, failed }: { readonly ground: Ground; readonly failed: () => void }) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<MapView | null>(null);
  const latest = useRef(ground);
  latest.current = ground;
  /** Null = the map is not there yet. */
  const [attribution, setAttribution] = useState<string | null>(null);
  const isDark = useDark();
  useEffect(() => {
    const box = place.current!; // it is rendered
    let isOver = false;
    const open = async () => {
      const { openMapView } = await import('./map-view.ts');
      const opened = await openMapView({
        place: box,
        tiles: location.origin + TILES,
        isDark,
        colours: coloursOf(box),
        words: wordsOfMap(),
        failed,
      });
      if (isOver) return opened.close();
      view.current = opened;
      setAttribution(opened.attribution);
      opened.show(latest.current);
      box.dataset['ready'] = 'true';
    };
    open().catch(failed);
    return () => {
      isOver = true;
      view.current?.close();
      view.current = null;
    };
  }, [isDark, language()]);
  useEffect(() => view.current?.show(ground));
  return (
    <section class="map" aria-label={ground.name}>
      <div ref={place} class="map-place" />
      {attribution !== '' && <p class="hint">{attribution ?? t('face.loading')}</p>}
    </section>
  );
}

function useDark(): boolean {
  const [ofSystem] = useState(() => matchMedia('(prefers-color-scheme: dark)'));
  const [isSystemDark, setSystemDark] = useState(ofSystem.matches);
  useEffect(() => {
    const changed = () => setSystemDark(ofSystem.matches);
    ofSystem.addEventListener('change', changed);
    return () => ofSystem.removeEventListener('change', changed);
  }, []);
  return theme.value === 'dark' || (theme.value !== 'light' && isSystemDark);
}

function coloursOf(box: HTMLElement): MarkColours {
  return { track: colourOf(box, '--line-1'), text: colourOf(box, '--text'), halo: colourOf(box, '--surface') };
}

/** As the browser works it out: the style sheet says it for light and dark. */
function colourOf(box: HTMLElement, name: string): string {
  const probe = document.createElement('span');
  probe.style.color = `var(${name})`;
  box.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function wordsOfMap(): Readonly<Record<string, string>> {
  return {
    'Map.Title': t('where.map'),
    'NavigationControl.ZoomIn': t('where.zoomIn'),
    'NavigationControl.ZoomOut': t('where.zoomOut'),
    'NavigationControl.ResetBearing': t('where.northUp'),
    'ScaleControl.Meters': 'm',
    'ScaleControl.Kilometers': 'km',
  };
}
