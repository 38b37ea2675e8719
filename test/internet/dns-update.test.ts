// Changes of records at a real name server (Debian's named).

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { updateRecords } from '../../src/internet/dns-update.ts';
import { readTsigKey } from '../../src/internet/tsig.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { makeKey, noNameServer as skip, startNameServer } from './name-server.ts';

test('records are set, added and removed, each as the only one changed', { skip }, async (context) => {
  const { target, resolver } = await startNameServer(context);
  await updateRecords(target, [{ name: 'home.example.org', type: 'A', action: 'set', value: '192.0.2.7', ttl: 60 }]);
  assert.deepEqual(await resolver.resolve4('home.example.org'), ['192.0.2.7']);
  await updateRecords(target, [
    { name: 'home.example.org', type: 'AAAA', action: 'set', value: '2001:db8::7', ttl: 60 },
    { name: '_acme-challenge.home.example.org', type: 'TXT', action: 'add', value: 'one', ttl: 0 },
    { name: '_acme-challenge.home.example.org', type: 'TXT', action: 'add', value: 'two', ttl: 0 },
  ]);
  assert.deepEqual(await resolver.resolve6('home.example.org'), ['2001:db8::7']);
  const texts = async () => (await resolver.resolveTxt('_acme-challenge.home.example.org')).flat().sort();
  assert.deepEqual(await texts(), ['one', 'two']);
  await updateRecords(target, [{ name: '_acme-challenge.home.example.org', type: 'TXT', action: 'remove', value: 'one', ttl: 0 }]);
  assert.deepEqual(await texts(), ['two']);
  assert.deepEqual(await resolver.resolve4('home.example.org'), ['192.0.2.7']);
});

for (const algorithm of ['hmac-sha1', 'hmac-sha224', 'hmac-sha384', 'hmac-sha512']) {
  test(`a request is signed with ${algorithm}`, { skip }, async (context) => {
    const { target, resolver } = await startNameServer(context, algorithm);
    assert.equal(readTsigKey(target.keyFile).algorithm, algorithm);
    await updateRecords(target, [{ name: 'home.example.org', type: 'A', action: 'set', value: '192.0.2.7', ttl: 60 }]);
    assert.deepEqual(await resolver.resolve4('home.example.org'), ['192.0.2.7']);
  });
}

test('a secret may look like a comment', (context) => {
  const keyFile = join(temporaryFolder(context), 'key');
  writeFileSync(keyFile, '// of the box\nkey "midge" { # one\n\talgorithm hmac-sha256; /* "the usual" */\n\tsecret "c2//cmV0/A==";\n};\n');
  assert.deepEqual(readTsigKey(keyFile), { name: 'midge', algorithm: 'hmac-sha256', secret: Buffer.from('c2//cmV0/A==', 'base64') });
});

test('a refusal is said in words, and nothing has changed', { skip }, async (context) => {
  const { target, folder, resolver } = await startNameServer(context);
  const change = { name: 'home.example.org', type: 'A', action: 'set', value: '192.0.2.7', ttl: 60 } as const;
  const wrong = join(folder, 'wrong.key');
  writeFileSync(wrong, makeKey('midge'));
  await assert.rejects(updateRecords({ ...target, keyFile: wrong }, [change]), /^Error: name server 127\.0\.0\.1: the signature is wrong/);
  await assert.rejects(updateRecords(target, [change], Date.now() - 3_600_000), /the clocks differ by more than five minutes$/);
  await assert.rejects(
    updateRecords(target, [{ ...change, name: 'home.example.net' }]),
    /does not say which zone home\.example\.net belongs to/,
  );
  await assert.rejects(updateRecords({ ...target, port: 1 }, [change]), /ECONNREFUSED/);
  assert.deepEqual(await resolver.resolve4('home.example.org'), ['127.0.0.1']);
});

test('an answer that nobody with the key has signed counts for nothing', async (context) => {
  const keyFile = join(temporaryFolder(context), 'key');
  writeFileSync(keyFile, 'key "midge" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n');
  let isFirst = true;
  const impostor = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (bytes: Buffer) => {
      const answer = isFirst ? soaAnswer(bytes.subarray(2)) : Buffer.from(bytes.subarray(2, 14)); // only the header, as if all were well
      isFirst = false;
      answer.writeUInt16BE(answer.readUInt16BE(2) | 0x8000, 2);
      if (answer.length === 12) answer.fill(0, 4);
      socket.end(Buffer.concat([Buffer.from([answer.length >> 8, answer.length & 0xff]), answer]));
    });
  });
  context.after(() => impostor.close());
  const port = await new Promise<number>((resolve) =>
    impostor.listen(0, '127.0.0.1', () => resolve((impostor.address() as { port: number }).port)),
  );
  const change = { name: 'home.example.org', type: 'A', action: 'set', value: '192.0.2.7', ttl: 60 } as const;
  await assert.rejects(updateRecords({ host: '127.0.0.1', port, keyFile }, [change]), /the answer is not signed$/);
});

test('a key file that is none is refused without showing it', (context) => {
  const folder = temporaryFolder(context);
  const file = join(folder, 'key');
  const cases: [text: string, says: RegExp][] = [
    ['c2VjcmV0', /it is no key as tsig-keygen writes it/],
    ['key midge { algorithm hmac-md5; secret "c2VjcmV0"; };', /hmac-md5 is not supported/],
    ['key midge { secret "c2VjcmV0"; };', /it is no key/],
  ];
  for (const [text, says] of cases) {
    writeFileSync(file, text);
    assert.throws(
      () => readTsigKey(file),
      (error: Error) => says.test(error.message) && !error.message.includes('c2VjcmV0'),
    );
  }
  assert.throws(() => readTsigKey(join(folder, 'none')), /Cannot read dns_update_key .*ENOENT/);
});

/** The question, and one SOA record beside it. */
function soaAnswer(question: Buffer): Buffer {
  const record = Buffer.from('c00c0006000100000000001600 00 00000001000000010000000100000001 00000001'.replaceAll(' ', ''), 'hex');
  const answer = Buffer.concat([question, record]);
  answer.writeUInt16BE(1, 6);
  return answer;
}
