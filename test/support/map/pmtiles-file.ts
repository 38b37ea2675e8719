// A small map as a PMTiles file: the same vector tile everywhere, with strips of water, a road across it and the name of a place.
// https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md, https://github.com/mapbox/vector-tile-spec/tree/master/2.1

const HEADER_BYTES = 127;
const EXTENT = 4096;

/** Of all zooms up to the last. */
const LAST_ZOOM = 14;
const TILES = (4 ** (LAST_ZOOM + 1) - 1) / 3;

/** Words of the vector tile specification. */
const [POINT, LINE, POLYGON] = [1, 2, 3];
const [MOVE_TO, LINE_TO, CLOSE] = [1, 2, 7];

/** pmtilesFile gives its bytes; the makers are named with markup, as tools write it. */
export function pmtilesFile(): Buffer {
  const tile = Buffer.concat([
    layer('water', POLYGON, strips(4)),
    layer('roads', LINE, [...move(0, 1500), ...lines([[EXTENT, 900]])]),
    layer('places', POINT, move(2800, 1000), 'Berlin'),
  ]);
  const metadata = Buffer.from(
    JSON.stringify({
      attribution: '<a href="https://example.org/">Test makers</a>',
      vector_layers: ['water', 'roads', 'places'].map((id) => ({ id, fields: {} })),
    }),
  );
  const directory = Buffer.from([...varint(1), ...varint(0), ...varint(TILES), ...varint(tile.length), ...varint(1)]);
  const header = Buffer.alloc(HEADER_BYTES);
  header.write('PMTiles');
  header[7] = 3;
  const places = [HEADER_BYTES, HEADER_BYTES + directory.length, 0, HEADER_BYTES + directory.length + metadata.length];
  const [root = 0, about = 0, leaves = 0, data = 0] = places;
  const words = [root, directory.length, about, metadata.length, leaves, 0, data, tile.length, TILES, 1, 1];
  for (const [index, word] of words.entries()) header.writeBigUInt64LE(BigInt(word), 8 + 8 * index);
  header.set([1, 1, 1, 1, 0, LAST_ZOOM], 96); // clustered; nothing is compressed; vector tiles; from zoom 0
  for (const [index, degrees] of [-180, -85, 180, 85].entries()) header.writeInt32LE(degrees * 1e7, 102 + 4 * index);
  return Buffer.concat([header, directory, metadata, tile]);
}

/** layer has one feature, with a name or none. */
function layer(name: string, type: number, geometry: readonly number[], label: string | null = null): Buffer {
  const tags = label === null ? [] : message(2, [...varint(0), ...varint(0)]);
  const feature = [...tags, ...field(3, type), ...message(4, geometry.flatMap(varint))];
  const named = label === null ? [] : [...message(3, Buffer.from('name')), ...message(4, message(1, Buffer.from(label)))];
  const all = [...field(15, 2), ...message(1, Buffer.from(name)), ...message(2, feature), ...named, ...field(5, EXTENT)];
  return Buffer.from(message(3, all));
}

/** strips are as wide as what is between them. The pen stays where one ends. */
function strips(count: number): readonly number[] {
  const width = EXTENT / count / 2;
  const strip = [
    ...lines([
      [width, 0],
      [0, EXTENT],
      [-width, 0],
    ]),
    command(CLOSE, 1),
  ];
  return Array.from({ length: count }, (_, index) => [...(index === 0 ? move(0, 0) : move(2 * width, -EXTENT)), ...strip]).flat();
}

function move(x: number, y: number): readonly number[] {
  return [command(MOVE_TO, 1), zigzag(x), zigzag(y)];
}

function lines(steps: readonly (readonly [number, number])[]): readonly number[] {
  return [command(LINE_TO, steps.length), ...steps.flatMap(([x, y]) => [zigzag(x), zigzag(y)])];
}

function command(id: number, count: number): number {
  return (count << 3) | id;
}

function zigzag(value: number): number {
  return (value << 1) ^ (value >> 31);
}

/** Of protocol buffers: a number, and what has a length. */
function field(id: number, value: number): readonly number[] {
  return [...varint(id << 3), ...varint(value)];
}

function message(id: number, content: Iterable<number>): readonly number[] {
  const bytes = [...content];
  return [...varint((id << 3) | 2), ...varint(bytes.length), ...bytes];
}

function varint(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
