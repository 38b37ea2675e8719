// What the operations get of the running broker.

import { filesOf } from '../access/options.ts';
import { describeAccess } from '../config/config.ts';
import type { OperationNeeds } from '../operations/needs.ts';
import type { Appliance } from './app.ts';
import type { Reloads } from './reloads.ts';

/** MoreNeeds are of the program around the appliance. */
export interface MoreNeeds extends Pick<OperationNeeds, 'program' | 'setupCode'> {
  readonly reloads: Reloads;
}

/** operationNeeds is the state of now. */
export function operationNeeds(appliance: Appliance, { reloads, program, setupCode }: MoreNeeds): OperationNeeds {
  const { broker, configuration, refusals, throttle, store, certificates, machine, traffic, access, state } = appliance;
  const opened = appliance.listeners.map(({ options, port }) => ({ ...options, port, policy: { ...options.policy, port } }));
  const files = [...configuration.filesRead, configuration.access.passwordFile]; // the account that `--lan` has made is in no file of it
  return {
    program,
    state,
    configuration: {
      file: configuration.file,
      filesRead: files.filter((file) => file !== null),
      access: describeAccess({ ...configuration, listeners: opened }),
      sysInterval: configuration.broker.sysInterval,
    },
    reloads,
    broker,
    traffic,
    listeners: appliance.listeners.map((listener) => {
      const { options, port, addresses } = listener;
      return {
        name: options.policy.name,
        protocol: options.protocol,
        tls: options.tls !== null,
        port,
        addresses,
        connections: traffic.connectionsOf(listener),
      };
    }),
    bridges: appliance.bridges,
    refusals,
    throttle,
    access: {
      account: configuration.access.account?.username ?? null,
      filesOf: (listener) => filesOf(configuration.access, listener),
      isDynamic: configuration.access.dynamicSecurity !== null,
    },
    aclOf: (listener) => (access.authorizer === null ? null : access.aclOf(listener)),
    certificates,
    store,
    machine,
    setupCode,
    announcedHost: appliance.announcedHost,
  };
}
