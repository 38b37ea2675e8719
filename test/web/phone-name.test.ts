// Names that can have phones: what the page says of them before the box is asked is what the box says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nameFault } from '../../src/phones/phone.ts';
import { canHavePhone, nameForPhone } from '../../src/web/phone-name.ts';

const OFFERS: readonly (readonly [name: string, offered: string | null])[] = [
  ['anna', 'anna'],
  ['Jörg-1', 'jörg-1'],
  ['Anna Müller', 'anna'],
  ['  Dr. O’Neill ', 'dr.'],
  ['anna@example.org', 'annaexample.org'],
  ['-anna', 'anna'],
  ['a/b', 'ab'],
  ['+ #', null],
  ['', null],
  ['x'.repeat(65), 'x'.repeat(64)],
];

for (const [name, offered] of OFFERS)
  test(`name "${name}" can have phones exactly where the box allows it, and a name that is offered can`, () => {
    assert.equal(canHavePhone(name), nameFault({ person: name, device: 'phone' }) === null);
    assert.equal(nameForPhone(name), offered);
    if (offered !== null) assert.equal(nameFault({ person: offered, device: 'phone' }), null);
  });
