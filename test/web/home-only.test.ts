// Which names of the box phones find at home only.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isHomeOnly } from '../../src/web/views/phones/home-only.ts';

for (const host of ['vm.local', 'VM.Local.', 'vm', '192.168.1.5', '10.0.0.2', '172.16.0.1', '172.31.9.9', '169.254.1.1', '127.0.0.1'])
  test(`name ${host} is found at home only`, () => assert.equal(isHomeOnly(host), true));

for (const host of ['mqtt.example.org', 'local.example.org', '198.51.100.7', '172.32.0.1', '10.example.org', '193.168.1.5'])
  test(`name ${host} may be found from outside too`, () => assert.equal(isHomeOnly(host), false));
