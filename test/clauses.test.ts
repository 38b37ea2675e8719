// Holds test/clauses.md against the tests: no clause is missing, what shows it exists and names it, and what tests name is listed.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEFAULT_BROKER_OPTIONS, DEFAULT_LISTENER_POLICY } from '../src/broker/options.ts';
import { readConversations, versionsOf } from './conversations/conversation.ts';

/** Section -> number of its last clause. Section 2.2.1 of 5.0 begins with 2. */
const LAST_OF_5: Readonly<Record<string, number>> = {
  ...{ '1.5.4': 3, '1.5.5': 1, '1.5.7': 1, '2.1.3': 1, '2.2.1': 6, '2.2.2': 1, '3.1.0': 2, '3.1.2': 30, '3.1.3': 12, '3.1.4': 6 },
  ...{ '3.2.0': 2, '3.2.2': 22, '3.3.1': 13, '3.3.2': 20, '3.3.4': 10, '3.4.2': 3, '3.5.2': 3, '3.6.1': 1, '3.6.2': 3, '3.7.2': 3 },
  ...{ '3.8.1': 1, '3.8.3': 5, '3.8.4': 8, '3.9.2': 2, '3.9.3': 2, '3.10.1': 1, '3.10.3': 2, '3.10.4': 6, '3.11.2': 2, '3.11.3': 2 },
  ...{ '3.12.4': 1, '3.14.0': 1, '3.14.1': 1, '3.14.2': 4, '3.14.4': 3, '3.15.1': 1, '3.15.2': 3, '4.1.0': 2, '4.2.0': 1, '4.3.1': 1 },
  ...{ '4.3.2': 5, '4.3.3': 13, '4.4.0': 2, '4.5.0': 2, '4.6.0': 6, '4.7.0': 1, '4.7.1': 2, '4.7.2': 1, '4.7.3': 4, '4.8.2': 6 },
  ...{ '4.9.0': 3, '4.12.0': 7, '4.12.1': 2, '4.13.1': 1, '4.13.2': 1, '6.0.0': 4 },
};
const LAST_OF_311: Readonly<Record<string, number>> = {
  ...{ '1.5.3': 3, '2.2.2': 2, '2.3.1': 7, '3.1.0': 2, '3.1.2': 24, '3.1.3': 11, '3.1.4': 5, '3.2.0': 1, '3.2.2': 6, '3.3.1': 12 },
  ...{ '3.3.2': 3, '3.3.4': 1, '3.3.5': 2, '3.6.1': 1, '3.8.1': 1, '3.8.3': 4, '3.8.4': 6, '3.9.3': 2, '3.10.1': 1, '3.10.3': 2 },
  ...{ '3.10.4': 6, '3.12.4': 1, '3.14.1': 1, '3.14.4': 3, '4.1.0': 2, '4.2.0': 1, '4.3.1': 1, '4.3.2': 2, '4.3.3': 2, '4.4.0': 1 },
  ...{ '4.5.0': 2, '4.6.0': 6, '4.7.1': 3, '4.7.2': 1, '4.7.3': 4, '4.8.0': 2, '6.0.0': 4, '7.0.0': 2, '7.1.1': 1, '7.1.2': 1 },
};

interface NamedTest {
  /** "FILE: NAME", without the clauses in the name. */
  readonly label: string;
  /** As in names: "MQTT-1.5.4-1", "3.1.1 MQTT-1.5.3-1". */
  readonly clauses: readonly string[];
  /** Whether it is played with MQTT 3.1.1, and with 5. What is no conversation shows both. */
  readonly plays4: boolean;
  readonly plays5: boolean;
  /** Options that it sets. */
  readonly options: readonly string[];
}

interface Row {
  /** As in names. */
  readonly clause: string;
  /** The clause of 5.0 that says the same, or ''. */
  readonly twin: string;
  readonly binds: string;
  readonly shownBy: string;
}

const CLAUSE = /\[((?:3\.1\.1 )?MQTT-[\d.]+-\d+)\]/g;
const LIST = readFileSync(join(import.meta.dirname, 'clauses.md'), 'utf8');
const ROWS_OF_5: readonly Row[] = tableOf('MQTT 5.0').map(([clause = '', binds = '', , shownBy = '']) => ({
  clause,
  twin: '',
  binds,
  shownBy,
}));
const ROWS_OF_311: readonly Row[] = tableOf('MQTT 3.1.1').map(([clause = '', twin = '', binds = '', , shownBy = '']) => {
  return { clause: `3.1.1 ${clause}`, twin, binds, shownBy };
});
const ROWS = [...ROWS_OF_5, ...ROWS_OF_311];
const TESTS = [...conversationTests(), ...sourceTests()];

test('list of clauses has every number of both standards, in order', () => {
  assert.deepEqual(
    ROWS_OF_5.map(({ clause }) => clause),
    numbers(LAST_OF_5).filter((clause) => clause !== 'MQTT-2.2.1-1'),
  );
  assert.deepEqual(
    ROWS_OF_311.map(({ clause }) => clause),
    numbers(LAST_OF_311).map((clause) => `3.1.1 ${clause}`),
  );
});

test('list of clauses names tests that exist, name the clause and play its version', () => {
  const wrong = ROWS.filter((row) => !isReason(row.shownBy) && !TESTS.some((one) => one.label === row.shownBy && shows(one, row)));
  assert.deepEqual(wrong, []);
});

test('list of clauses gives a reason only where no test names the clause', () => {
  const tested = ROWS.filter((row) => isReason(row.shownBy) && TESTS.some((one) => shows(one, row)));
  assert.deepEqual(tested, []);
  const bare = ROWS.filter(({ binds, shownBy }) => shownBy === 'None: binds the client' && binds !== 'client');
  assert.deepEqual(bare, []);
});

test('list of clauses has every clause that a test names', () => {
  const listed = new Set(ROWS.map(({ clause }) => clause));
  const named = TESTS.flatMap(({ label, clauses }) => clauses.map((clause) => ({ label, clause })));
  assert.ok(named.length > 500);
  assert.deepEqual(
    named.filter(({ clause }) => !listed.has(clause)),
    [],
  );
});

test('list of options has every option of the engine, and tests of their effect', () => {
  const rows = tableOf('Options');
  assert.deepEqual(
    rows.map(([option]) => option),
    [...Object.keys(DEFAULT_BROKER_OPTIONS), ...Object.keys(DEFAULT_LISTENER_POLICY)],
  );
  const wrong = rows.filter(([option = '', shownBy = '']) => {
    const isConversation = shownBy.startsWith('conversations/');
    return !TESTS.some(({ label, options }) => label === shownBy && (!isConversation || options.includes(option)));
  });
  assert.deepEqual(wrong, []);
});

/** The cells of a section's table, without its head. */
function tableOf(section: string): string[][] {
  const text = LIST.split(/^## /m).find((part) => part.startsWith(`${section}\n`)) ?? '';
  const lines = text.split('\n').filter((line) => line.startsWith('| '));
  return lines.slice(1).map((line) =>
    line
      .slice(2, -2)
      .split(' | ')
      .map((cell) => cell.trim()),
  );
}

function numbers(lastOf: Readonly<Record<string, number>>): string[] {
  return Object.entries(lastOf).flatMap(([section, last]) => Array.from({ length: last }, (_, i) => `MQTT-${section}-${i + 1}`));
}

function isReason(shownBy: string): boolean {
  return /^None: \w/.test(shownBy);
}

function shows(one: NamedTest, { clause, twin }: Row): boolean {
  if (!clause.startsWith('3.1.1 ')) return one.plays5 && one.clauses.includes(clause);
  return one.plays4 && (one.clauses.includes(clause) || one.clauses.includes(twin));
}

function conversationTests(): NamedTest[] {
  return readConversations().flatMap(({ theme, conversations }) =>
    conversations.map((conversation) => {
      const versions = versionsOf(conversation);
      const { options, policy } = conversation.settings ?? {};
      return {
        ...labelled(`conversations/${theme}.json`, conversation.name),
        plays4: versions.includes(4),
        plays5: versions.includes(5),
        options: Object.keys({ ...options, ...policy }),
      };
    }),
  );
}

/** Tests of all files, by the text of their names: a name that is put together stands with its placeholders. */
function sourceTests(): NamedTest[] {
  return globSync('**/*.test.ts', { cwd: import.meta.dirname }).flatMap((file) => {
    const source = readFileSync(join(import.meta.dirname, file), 'utf8');
    const names = [...source.matchAll(/\b(?:test|it)\(\s*(['"`])(.*?)\1,/g)].map((match) => match[2]!); // the second group always matches
    return names.map((name) => ({ ...labelled(file, name), plays4: true, plays5: true, options: [] }));
  });
}

function labelled(file: string, name: string): Pick<NamedTest, 'label' | 'clauses'> {
  const bare = name.replaceAll(CLAUSE, '').replaceAll(/ +/g, ' ').trim();
  return { label: `${file}: ${bare}`, clauses: [...name.matchAll(CLAUSE)].map((match) => match[1]!) };
}
