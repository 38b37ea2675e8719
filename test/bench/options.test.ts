// The bench's command line.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OperatorError } from '../../src/base/errors.ts';
import { parseOptions } from './options.ts';

const ROWS = ['fan-out', 'pairs'];
const BROKERS = ['midge', 'mosquitto'];
const parse = (...args: string[]) => parseOptions(args, ROWS, BROKERS);

test('the bench runs all rows in seven rounds when nothing is said', () => {
  const { only, brokers, rounds, seconds, quick, binary, json } = parse();
  assert.deepEqual(
    { only, brokers, rounds, seconds, quick, binary, json },
    { only: null, brokers: null, rounds: 7, seconds: 1, quick: false, binary: null, json: false },
  );
});

test('the bench takes two short rounds when it is quick, and as many as are asked for', () => {
  assert.deepEqual([parse('--quick').rounds, parse('--quick').seconds], [2, 1]);
  assert.deepEqual([parse('--quick', '--rounds', '7').rounds, parse('--seconds', '0.5').seconds], [7, 0.5]);
});

test('the bench runs the rows and brokers that are named', () => {
  const { only, brokers, binary } = parse('--only', 'pairs,fan-out', '--brokers', 'midge', '--binary');
  assert.deepEqual([only, brokers, binary], [['pairs', 'fan-out'], ['midge'], `dist/midge-linux-${process.arch}`]);
});

test('the bench takes brokers by the command that starts them', () => {
  const { others, brokers } = parse('--broker', 'flashmq=flashmq -p {port}', '--brokers', 'midge,flashmq');
  assert.deepEqual([others, brokers], [[{ name: 'flashmq', command: 'flashmq -p {port}' }], ['midge', 'flashmq']]);
});

test('the bench names what there is when a row, a broker or a flag is not known', () => {
  const refuses = (args: string[], message: RegExp) =>
    assert.throws(
      () => parse(...args),
      (error) => error instanceof OperatorError && error.exitCode === 2 && message.test(error.message),
    );
  refuses(['--only', 'pears'], /"pears".*fan-out, pairs/);
  refuses(['--brokers', 'emqx'], /"emqx".*midge, mosquitto/);
  refuses(['--rounds', '0'], /--rounds "0"/);
  refuses(['--fast'], /--fast/);
  refuses(['--broker', 'flashmq -p 1883'], /NAME='COMMAND with \{port\}'/);
});
