// Stock Aedes: the unmodified package in a process of its own, with its default settings.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { OperatorError } from '../../../src/base/errors.ts';
import { firstLine, startChild } from '../child.ts';
import type { BenchBroker } from './broker.ts';
import { makeCertificate } from './configuration.ts';

const PACKAGE = join(import.meta.dirname, '../../../node_modules/aedes/package.json');

export const aedes: BenchBroker = {
  name: 'aedes',
  missing: 'npm ci',
  version: () => {
    const { version } = JSON.parse(readFileSync(PACKAGE, 'utf8')) as { version: string }; // npm's own field
    return `${version} (Node ${process.versions.node})`;
  },
  start: async (setup) => {
    if (setup.access) throw new OperatorError('Cannot start aedes: it has no password file and no ACL');
    const files = setup.transport === 'tls' ? Object.values(makeCertificate(setup.folder)) : [];
    const child = await startChild(process.execPath, [join(import.meta.dirname, 'aedes-child.ts'), setup.transport, ...files], setup.core);
    return { child, port: Number(await firstLine(child, 'aedes')), fsyncs: null };
  },
};
