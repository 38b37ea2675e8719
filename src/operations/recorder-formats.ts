// The forms in which OwnTracks' Recorder gives locations to its clients.
// https://github.com/owntracks/recorder, API.md and README.md

/** Fields are those of a message of OwnTracks, with what the Recorder adds. */
export type Fields = Readonly<Record<string, unknown>>;

/** asGeoJson makes a FeatureCollection of points. RFC 7946 */
export function asGeoJson(records: readonly Fields[]): object {
  const features = records.map(({ lat, lon, ...properties }) => ({
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [lon, lat] },
    properties,
  }));
  return { type: 'FeatureCollection', features };
}

/** asLineString makes a Feature of the way. RFC 7946 */
export function asLineString(records: readonly Fields[]): object {
  return { type: 'Feature', geometry: { type: 'LineString', coordinates: records.map(({ lat, lon }) => [lon, lat]) }, properties: {} };
}

/** asCsv writes a line for each, below one with the names of all fields. RFC 4180 */
export function asCsv(records: readonly Fields[]): string {
  const names = [...new Set(records.flatMap((each) => Object.keys(each)))];
  const lines = [names, ...records.map((each) => names.map((name) => each[name] ?? ''))];
  return lines.map((line) => `${line.map(csvField).join()}\r\n`).join('');
}

/** asGpx writes a track. https://www.topografix.com/GPX/1/1/ */
export function asGpx(records: readonly Fields[]): string {
  const points = records.map(({ lat, lon, alt, isotst }) => {
    const height = typeof alt === 'number' ? `<ele>${alt}</ele>` : '';
    return `<trkpt lat="${lat}" lon="${lon}">${height}<time>${isotst}</time></trkpt>`;
  });
  const head = '<?xml version="1.0" encoding="UTF-8"?>\n<gpx version="1.1" creator="midge" xmlns="http://www.topografix.com/GPX/1/1">';
  return `${head}\n<trk><trkseg>\n${points.map((each) => `${each}\n`).join('')}</trkseg></trk>\n</gpx>\n`;
}

/** asXml writes a point for each, as the Recorder's documents show. */
export function asXml(records: readonly Fields[]): string {
  const points = records.map((each) => {
    const elements = Object.entries(each).filter(([name]) => XML_NAME.test(name));
    return ` <point>\n${elements.map(([name, value]) => `  <${name}>${xmlText(value)}</${name}>\n`).join('')} </point>\n`;
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<owntracks>\n${points.join('')}</owntracks>\n`;
}

/** Names that need no more looking up; a phone may send others. https://www.w3.org/TR/xml/#NT-Name */
const XML_NAME = /^[A-Za-z_][\w.-]*$/;

/** What XML 1.0 has no way to write is left out. https://www.w3.org/TR/xml/#charsets */
function xmlText(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  const writable = text.toWellFormed().replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '');
  return writable.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** withFields leaves only some; null = all. */
export function withFields(records: readonly Fields[], names: readonly string[] | null): readonly Fields[] {
  if (names === null) return records;
  return records.map((each) => Object.fromEntries(names.filter((name) => name in each).map((name) => [name, each[name]])));
}

/** What begins with one of these is a formula to a spreadsheet. */
const FORMULA = /^[=+\-@\t\r]/;

function csvField(value: unknown): string {
  const text = typeof value === 'string' ? value : typeof value === 'number' ? String(value) : JSON.stringify(value);
  const safe = typeof value === 'string' && FORMULA.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
