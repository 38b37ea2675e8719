// What the operations get of the running broker.

import { resolve } from 'node:path';
import { filesOf } from '../access/options.ts';
import { OperatorError } from '../base/errors.ts';
import { certificatesInFile, rootInFile } from '../base/pem-files.ts';
import { calledHere, invitationFiles, isInvitationName, readInvitation, readTopics, writeInvitation } from '../config/bridge-invitation.ts';
import { changeBridge } from '../config/change-bridge.ts';
import {
  describeAccess,
  describeOpenings,
  formatDiagnostic,
  isSecret,
  knownSettings,
  loadConfiguration,
  treatLines,
} from '../config/config.ts';
import { removeBridge } from '../config/remove-bridge.ts';
import { changeSetting, readSetting } from '../config/writer.ts';
import type { ListenerOptions } from '../listeners/options.ts';
import type { ListenerCertificate, OpenListener, OperationNeeds } from '../operations/needs.ts';
import { OperationFailure } from '../operations/operation.ts';
import type { Appliance } from './app.ts';
import { tryConfiguredBridge } from './bridge-trial.ts';
import type { Reloads } from './reloads.ts';
import { checkWayInOf } from './way-in.ts';

/** MoreNeeds are of the program around the appliance. */
export interface MoreNeeds
  extends Pick<
    OperationNeeds,
    | 'brought'
    | 'changes'
    | 'history'
    | 'lastLines'
    | 'locations'
    | 'phones'
    | 'program'
    | 'restart'
    | 'roles'
    | 'setupCode'
    | 'tokens'
    | 'trial'
  > {
  readonly reloads: Reloads;
}

const FILES: OperationNeeds['files'] = {
  check(file, text) {
    const texts = new Map([[resolve(file), text]]);
    const commandLine = { file, port: null, verbose: false, lan: false };
    const { configuration: after, diagnostics } = loadConfiguration(commandLine, texts);
    const of = (wanted: string) => diagnostics.filter(({ severity }) => severity === wanted).map(formatDiagnostic);
    const before = after && loadConfiguration(commandLine).configuration;
    return { mistakes: of('error'), warnings: [...(before && after ? describeOpenings(before, after) : []), ...of('warning')] };
  },
  valueOf: (file, name) => readSetting(file, name, null).statements.at(-1)?.text ?? null,
  withChange(file, text, change) {
    const files = changeSetting(file, change, new Map([[resolve(file), text]]));
    const elsewhere = files.find(({ path }) => path !== resolve(file));
    if (elsewhere !== undefined)
      throw new OperationFailure(
        'not possible',
        `Cannot set ${change.name} in "${file}": it belongs into "${elsewhere.path}" - change it there, or by midge config set`,
      );
    return files[0]?.after ?? text;
  },
  settings: (file, text) =>
    treatLines(file, text === undefined ? undefined : new Map([[resolve(file), text]])).map(({ name, text: value, block, place }) => ({
      name,
      value: isSecret(name) ? null : value,
      block,
      file: place.file,
      line: place.line,
    })),
  known: knownSettings,
  withoutBridge: removeBridge,
  withBridge: changeBridge,
};

const INVITATIONS: Omit<OperationNeeds['invitations'], 'book' | 'issuerOf'> = {
  isName: isInvitationName,
  readTopics,
  write: writeInvitation,
  read: readInvitation,
  called: calledHere,
  filesOf(main, invited) {
    const { block, certificate } = invitationFiles(main, invited);
    return [...certificate, ...block];
  },
};

/** operationNeeds is the state of now. */
export function operationNeeds(appliance: Appliance, { reloads, ...more }: MoreNeeds): OperationNeeds {
  const { broker, configuration, refusals, throttle, store, certificates, machine, traffic, access, state } = appliance;
  const opened = appliance.listeners.map(({ options, port }) => ({ ...options, port, policy: { ...options.policy, port } }));
  const files = [...configuration.filesRead, configuration.access.passwordFile]; // the account that `--lan` has made is in no file of it
  return {
    ...more,
    state: { path: state.path, database: state.database, certificates: state.certificates, isThere: state.exists() },
    files: FILES,
    certificateOfFiles: (listener) => certificateOfFiles(appliance, listener),
    invitations: { ...INVITATIONS, book: appliance.invitations, issuerOf: (listener) => issuerOf(appliance, listener) },
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
        certificate: certificateOf(options),
        wantsCertificate: options.tls?.requireCertificate === true,
        takesOurCertificates: takesOurCertificates(options),
        port,
        addresses,
        connections: traffic.connectionsOf(listener),
      };
    }),
    bridges: appliance.bridges,
    cluster: appliance.cluster,
    kickElsewhere: (id) => appliance.kickElsewhere(id),
    forgetBroker: (id) => appliance.forgetBroker(id),
    tryBridge: async (name, say) => {
      const settings = configuration.bridges.find((each) => each.name === name);
      return settings === undefined ? null : tryConfiguredBridge(settings, { publishes: false, say });
    },
    refusals,
    throttle,
    access: {
      account: configuration.access.account?.username ?? null,
      hasGuests: configuration.listeners.some(({ policy }) => policy.allowAnonymous),
      isPerListener: configuration.access.listeners !== null,
      canSignIn: (username) => configuration.listeners.some(({ policy }) => access.secretOf(policy.name, username) !== null),
      filesOf: (listener) => filesOf(configuration.access, listener),
      authorizer: access.authorizer,
      dynamicUsers: access.dynamicUsers,
      dynamic: dynamicOf(appliance),
      aclOf: access.aclOf,
    },
    certificates,
    stateNeeds: async () => (await import('./state-needs.ts')).STATE_NEEDS,
    internet: appliance.internet,
    updates: () => appliance.updates.updates(),
    checkWayIn: (names, say) => checkWayInOf(appliance, names, say),
    store,
    machine,
    certificateNames: configuration.certificateNames,
    announcedHost: appliance.announcedHost,
  };
}

function takesOurCertificates({ tls }: ListenerOptions): boolean {
  return tls?.requireCertificate === true && tls.certificate === 'appliance' && tls.cafile === null && tls.capath === null;
}

function dynamicOf({ dynamicSecurity }: Appliance): OperationNeeds['access']['dynamic'] {
  if (dynamicSecurity === null) return null;
  return {
    file: dynamicSecurity.file,
    get model() {
      return dynamicSecurity.model;
    },
    run: (commands, username, look) =>
      new Promise((resolve, reject) => {
        dynamicSecurity.run(commands, { clientId: 'midge', username }, resolve, look).catch(reject);
      }),
  };
}

function issuerOf(appliance: Appliance, name: string): string | null {
  const file = certfileOf(appliance, name);
  return file === null ? null : rootInFile('certfile', file);
}

/** A broker that has become another user may not read what it has read before. */
function certificateOfFiles(appliance: Appliance, name: string): ListenerCertificate | null {
  const file = certfileOf(appliance, name);
  try {
    const [pem] = file === null ? [] : certificatesInFile('certfile', file);
    return file === null || pem === undefined ? null : { pem, file };
  } catch (error) {
    if (error instanceof OperatorError) return null;
    throw error;
  }
}

function certfileOf({ listeners }: Appliance, name: string): string | null {
  const certificate = listeners.find(({ options }) => options.policy.name === name)?.options.tls?.certificate ?? 'appliance';
  return certificate === 'appliance' ? null : certificate.certfile;
}

function certificateOf({ tls }: ListenerOptions): OpenListener['certificate'] {
  if (tls === null || tls.psk !== null) return null;
  return tls.certificate === 'appliance' ? 'ours' : 'of files';
}
