// The table of operations: what is asked is looked at first, and what is answered is what the schemas say.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { z } from 'zod';
import { type Asker, OperationFailure } from '../../src/operations/operation.ts';
import { OPERATIONS, Operations } from '../../src/operations/operations.ts';
import { RIGHTS } from '../../src/operations/right.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { openPort, runMidge, startMidge } from '../support/process/midge-process.ts';

const ADMIN: Asker = { name: 'a test', right: 'admin' };
/** What people may do with their own phones, whatever their right is. */
const OWN: ReadonlySet<string> = new Set(['delete locations', 'change phone card', 'send phone places']);

const IDLE = new Operations(() => assert.fail('nothing may be asked of the broker'));

test('operations have names of their own, a sentence, and schemas that JSON Schema can say', () => {
  assert.equal(new Set(OPERATIONS.map(({ name }) => name)).size, OPERATIONS.length);
  for (const { name, kind, right, summary, input, output, download, upload } of OPERATIONS) {
    assert.match(name, /^[a-z]+( [a-z]+)*$/);
    assert.match(summary, /^[A-Z].+\.$/);
    const isOwn = OWN.has(name);
    if (kind === 'command' && !isOwn) assert.ok(['operator', 'admin'].includes(right), `${name}: who may only look changes nothing`);
    const bytes = [download && output, upload && input]; // which JSON cannot say
    for (const schema of [input, output].filter((each) => !bytes.includes(each))) assert.equal(typeof z.toJSONSchema(schema), 'object');
  }
});

for (const [what, name, input, reason, message] of [
  ['one that is not there', 'toString', {}, 'unknown operation', 'Cannot answer request "toString": this broker does not know it'],
  ['a word too many', 'status', { colour: 'red' }, 'bad input', /^Cannot answer request "status": .*colour/s],
  ['a word of another type', 'why', { about: 7 }, 'bad input', /about/],
  ['no object', 'reload', 'now', 'bad input', /reload/],
] as const) {
  test(`operations refuse ${what}, with a reason for programs and a sentence for people`, async () => {
    await assert.rejects(IDLE.run(name, input, ADMIN), (error: unknown) => {
      assert.ok(error instanceof OperationFailure);
      assert.equal(error.reason, reason);
      if (typeof message === 'string') assert.equal(error.message, message);
      else assert.match(error.message, message);
      return true;
    });
  });
}

test('operations are refused to an asker without their right, before the input is looked at', async () => {
  for (const { name, right } of OPERATIONS) {
    for (const less of RIGHTS.slice(0, RIGHTS.indexOf(right))) {
      const asked = IDLE.run(name, 'nonsense', { name: 'a test', right: less });
      await assert.rejects(asked, { reason: 'not allowed', message: `Cannot answer request "${name}": it needs the right "${right}"` });
    }
  }
});

test('operations name the fields that are wrong, a word that is not known by itself', async () => {
  await assert.rejects(IDLE.run('why', { about: 7, colour: 'red' }, ADMIN), (error: unknown) => {
    assert.ok(error instanceof OperationFailure);
    assert.deepEqual(
      error.faults.map(({ path }) => path),
      [['about'], ['colour']],
    );
    return true;
  });
});

test('operations of a running broker answer what their schemas say', async (t) => {
  const folder = temporaryFolder(t);
  const broker = startMidge(t, folder, ['serve', '--lan', '-p', '0', '--state', join(folder, 'state')]);
  await openPort(broker);
  for (const name of ['status', 'why']) {
    const { stdout, stderr } = await runMidge(folder, [name, '--state', join(folder, 'state'), '--json']);
    assert.equal(stderr, '');
    const { output } = OPERATIONS.find((each) => each.name === name) ?? assert.fail();
    const read = output.safeParse(JSON.parse(stdout));
    assert.ok(read.success, read.success ? '' : z.prettifyError(read.error));
  }
});
