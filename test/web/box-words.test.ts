// The page has words in each language for what the box says of failures. The English sentences are read from the sources: a new or a changed one
// fails here until the languages have it.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { FAILURE_REASONS } from '../../src/operations/operation.ts';
import { patternsIn, translated } from '../../src/web/box-patterns.ts';

const SOURCES = join(import.meta.dirname, '../../src');
const LANGUAGES = ['de', 'fr'] as const;

/** What somebody at the page can run into. */
const HEARD = [
  'operations/*.ts',
  'app/api-setup.ts',
  'api/{sign-in,input,application,open-streams,roles}.ts',
  'broker/client/*.ts',
  'bridges/*.ts',
  'certificates/client-certificates.ts',
  'config/{writer,bridge-invitation,change-bridge,remove-bridge}.ts',
  'phones/phone-book.ts',
  'state/{archive,restore-plan}.ts',
  'updates/{updates,fetch-release,manifest,choose-upgrade,minisign}.ts',
  'cluster/{cluster,peer}.ts',
];

/** What only programs are told, or the log. */
const NOT_HEARD: readonly RegExp[] = [
  /^There is nothing of this name/, // the page asks for what there is
  /^(Use X|This is for WebSocket|The body (must be|is no)|Nothing here has an ETag|The header If-Match)/, // and in the right way
  /^Too many follow the locations/,
  /^(It is another one|This is not X: )/, // of its own password the page says it itself, and a page under a wrong name is none
  /^Cannot (read|write) (phones|roles) /, // when the broker starts, and in its log
  /^Cannot pack /,
  /^Cannot use the key in /,
  /the manifest beside|X is a X, and this machine|X is for X, and this machine/, // midge upgrade with a file
  /^its account may not X X /, // of publishing and of subscribing
  /^(There is no X "X"|Cannot add X: there is one of this name|Unknown configuration variable "X"X)$/, // said of each kind by an entry of its own
];

/** The doors of OwnTracks. */
const OF_PHONES = ['operations/{owntracks-post,recorder}.ts'];

const MADE_BY =
  /\b(?:new OperationFailure\(|badInput\(|new Problem\(|new LinkError\(|new OperatorError\(|const message = |const words = |refuse\(|lost\()/g;

/** A file that does nothing else than to say why. */
const REASONS = 'cluster/nats-reason.ts';
const GIVEN_BY = /\breturn /g;

/** Entries whose English is not ours. */
const OF_OTHERS = /^(Too (small|big)|Invalid (input|option)|E[A-Z]{4,}: )/;

for (const language of LANGUAGES) {
  const words = JSON.parse(readFileSync(join(SOURCES, `web/locales/box/${language}.json`), 'utf8')) as Record<string, string>;
  const patterns = patternsIn(words);

  test(`sentences of the box have words in "${language}"`, () => {
    const said = globSync(HEARD, { cwd: SOURCES, exclude: OF_PHONES }).flatMap((file) =>
      sentencesOf(readFileSync(join(SOURCES, file), 'utf8')),
    );
    said.push(...sentencesOf(readFileSync(join(SOURCES, REASONS), 'utf8'), GIVEN_BY));
    const heard = said.filter((sentence) => !NOT_HEARD.some((pattern) => pattern.test(sentence)));
    assert.ok(heard.length > 150, `${heard.length} sentences found`);
    assert.deepEqual([...new Set(heard.filter((sentence) => translated(sentence, patterns) === null))], []);
  });

  test(`words in "${language}" are for sentences that the box still says, and name what they name`, () => {
    const sources = globSync('**/*.ts', { cwd: SOURCES, exclude: ['web/**'] })
      .map((file) => readFileSync(join(SOURCES, file), 'utf8'))
      .join('\n');
    const isSaid = (part: string) => sources.includes(part.replaceAll('\n', '\\n'));
    const isOld = (key: string) => !OF_OTHERS.test(key) && !key.split(/\{\w+\}| - /).every((part) => isMade(part, isSaid));
    assert.deepEqual(Object.keys(words).filter(isOld), []);
    const isStrange = ([key, text]: [string, string]) => namesIn(text).some((name) => !namesIn(key).includes(name)) || text.trim() !== text;
    assert.deepEqual(Object.entries(words).filter(isStrange), []);
  });

  test(`words in "${language}" are for the sentences of the libraries, too`, () => {
    const schema = z.object({
      name: z.string().min(1),
      list: z.array(z.string()).max(1),
      mode: z.enum(['a', 'b']),
      count: z.number().min(2),
    });
    const wrong = schema.safeParse({ name: '', list: ['a', 'b'], mode: 'c', count: 1 }).error?.issues ?? [];
    assert.equal(wrong.length, 4);
    for (const { message } of [...wrong, ...(schema.safeParse({}).error?.issues ?? [])]) assert.ok(translated(message, patterns), message);
    assert.throws(
      () => readFileSync('/nowhere/at-all'),
      ({ message }: Error) => translated(message, patterns)?.includes('/nowhere/at-all') === true,
    );
  });
}

test('languages have words for the same sentences', () => {
  const [keys, others] = LANGUAGES.map((each) =>
    Object.keys(JSON.parse(readFileSync(join(SOURCES, `web/locales/box/${each}.json`), 'utf8'))),
  );
  assert.deepEqual(keys, others);
});

test('sentence is found with its names and numbers, and the sentence inside it', () => {
  const patterns = patternsIn({
    'Cannot write "{path}": {reason}': '{reason}: „{path}“ bleibt',
    'the disk is full': 'Platte voll',
    '{host}: it fails itself': '{host} ist gestört',
  });
  assert.equal(translated('Cannot write "/etc/a (1)": the disk is full', patterns), 'Platte voll: „/etc/a (1)“ bleibt');
  assert.equal(translated('Cannot write "/etc/a": who knows', patterns), 'who knows: „/etc/a“ bleibt');
  assert.equal(translated('the disk is full\nmidge.conf:3', patterns), 'Platte voll\nmidge.conf:3');
  assert.equal(translated('the other one: it fails itself', patterns), null);
  assert.equal(translated('the disk is full of air', patterns), null);
});

for (const language of LANGUAGES) {
  test(`limits of another broker are told in "${language}"`, () => {
    const words = JSON.parse(readFileSync(join(SOURCES, `web/locales/box/${language}.json`), 'utf8')) as Record<string, string>;
    const limits =
      'QoS 1 at most, no retained messages, 20 messages unacknowledged, packets of 9 bytes, 10 topic aliases, a keep alive of 5 s';
    const said = translated(`the other broker accepts the connection, MQTT 5; its limits: ${limits}`, patternsIn(words)) ?? limits;
    assert.deepEqual(
      limits.split(', ').filter((each) => said.includes(each)),
      [],
    );
  });
}

/** sentencesOf gives what a source says where it fails, with X for each value. */
function sentencesOf(source: string, madeBy = MADE_BY): readonly string[] {
  return Array.from(source.matchAll(madeBy), ({ index, 0: call }) => literalsIn(source.slice(index + call.length))).flat();
}

/** The literals up to the end of the call or of the statement; blanks tell sentences from reasons and names. */
function literalsIn(text: string): readonly string[] {
  const literals: string[] = [];
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? '';
    if (sign === ';' || (sign === ')' && depth === 0)) break;
    if ('([{'.includes(sign)) depth++;
    if (')]}'.includes(sign)) depth--;
    if (!'\'"`'.includes(sign)) continue;
    const end = endOfLiteral(text, at);
    literals.push(text.slice(at + 1, end));
    at = end;
  }
  return literals
    .map(plain)
    .filter((each) => each.includes(' ') && each.length > 14 && !(FAILURE_REASONS as readonly string[]).includes(each));
}

function endOfLiteral(text: string, start: number): number {
  let depth = 0;
  for (let at = start + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text.startsWith('${', at)) depth++;
    else if (text[at] === '}' && depth > 0) depth--;
    else if (text[at] === text[start] && depth === 0) return at;
  }
  return text.length;
}

function plain(literal: string): string {
  return literal.replaceAll(/\$\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}/g, 'X').replaceAll('\\n', '\n');
}

/** A sentence may be put together of three parts at most. */
function isMade(part: string, isSaid: (part: string) => boolean, most = 3): boolean {
  if (isSaid(part)) return true;
  const places = most === 1 ? [] : Array.from(part.matchAll(/\b|(?<=\W)(?=\W)/g), ({ index }) => index);
  return places.some((at) => at > 0 && isSaid(part.slice(0, at)) && isMade(part.slice(at), isSaid, most - 1));
}

function namesIn(text: string): readonly string[] {
  return Array.from(text.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
}
