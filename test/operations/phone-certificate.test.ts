// What becomes of a phone's own certificate when the phone is removed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClientRegister } from '../../src/certificates/client-certificates.ts';
import type { OperationNeeds } from '../../src/operations/needs.ts';
import { revokeCertificates } from '../../src/operations/phone-certificate.ts';
import { BUILD_DATE, makeAppliance } from '../certificates/appliance.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

test('certificate of a removed phone is revoked although no listener has one of our authority now, and others are not', async (context) => {
  const appliance = makeAppliance(context);
  await appliance.boot();
  const needs = { certificates: null, state: { certificates: appliance.folder } } as unknown as OperationNeeds; // no more of it is looked at
  await revokeCertificates(needs, ['jane/phone']); // none has been issued yet
  const register = await ClientRegister.open(appliance.folder);
  const moment = { now: appliance.clock.now(), buildDate: BUILD_DATE };
  for (const account of ['jane/phone', 'john/phone']) await register.issueForPhone(account, moment);
  await revokeCertificates(needs, ['jane/phone']);
  assert.deepEqual(
    (await register.list()).map(({ name, revokedAt }) => [name, revokedAt !== null]),
    [
      ['jane/phone', true],
      ['john/phone', false],
    ],
  );
});

test('phone is removed where there never was an authority', async (context) => {
  const needs = { certificates: null, state: { certificates: `${temporaryFolder(context)}/certificates` } } as unknown as OperationNeeds; // no more of it is looked at
  await revokeCertificates(needs, ['jane/phone']);
});
