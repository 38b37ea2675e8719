// The one table of what can be asked of a running broker, or changed in it. Doors offer it to programs and people, and add nothing.

import { z } from 'zod';
import { changeBy } from './audit.ts';
import { BACKUP, DOWNLOAD_BACKUP } from './backup.ts';
import { BEGIN_RULES } from './begin-rules.ts';
import { GIVEN_INVITATIONS } from './bridge-guests.ts';
import { ADD_BRIDGE, CHECK_INVITATION, INVITE_BRIDGE } from './bridge-invitations.ts';
import { BRIDGES, TEST_BRIDGE } from './bridges.ts';
import {
  CERTIFICATES,
  CLIENT_CERTIFICATES,
  DOWNLOAD_AUTHORITY,
  ISSUE_CLIENT_CERTIFICATE,
  REVOKE_CLIENT_CERTIFICATE,
} from './certificates.ts';
import type { Change } from './change.ts';
import { CHANGE_BRIDGE } from './change-bridge.ts';
import {
  ADD_DYNAMIC_CLIENT,
  ADD_DYNAMIC_GROUP,
  ADD_DYNAMIC_ROLE,
  CHANGE_DYNAMIC_CLIENT,
  CHANGE_DYNAMIC_DEFAULTS,
  CHANGE_DYNAMIC_GROUP,
  CHANGE_DYNAMIC_ROLE,
  REMOVE_DYNAMIC_CLIENT,
  REMOVE_DYNAMIC_GROUP,
  REMOVE_DYNAMIC_ROLE,
} from './change-dynamic-security.ts';
import { CHANGES } from './changes.ts';
import { CLIENT_OF, CLIENTS, FORGET_SESSION, KICK_CLIENT } from './clients.ts';
import { CLUSTER, FORGET_BROKER } from './cluster.ts';
import {
  APPLY_CONFIGURATION,
  CHECK_CONFIGURATION,
  CONFIGURATION,
  CONFIGURATION_HISTORY,
  CONFIRM_CONFIGURATION,
  TAKE_BACK_CONFIGURATION,
} from './configuration.ts';
import { DYNAMIC_SECURITY } from './dynamic-security.ts';
import { HISTORY } from './history.ts';
import { HOST } from './host.ts';
import { CHECK_INTERNET } from './internet.ts';
import { INVITATION_SETUP } from './invitation-setup.ts';
import { LISTENERS } from './listeners.ts';
import { CHANGE_LOCATION_SETTINGS, DELETE_LOCATIONS, LOCATION_HISTORY, LOCATION_SETTINGS, LOCATIONS } from './locations.ts';
import { LOG } from './log.ts';
import { MAP_TILES } from './map-tiles.ts';
import type { OperationNeeds } from './needs.ts';
import { type Asker, type Fault, type Operation, OperationFailure, type Report } from './operation.ts';
import { CHANGE_PHONE_CARD } from './phone-card.ts';
import { PHONE_PLACES, SEND_PHONE_PLACES } from './phone-places.ts';
import { PHONE_SETUP } from './phone-setup.ts';
import { ADD_PHONE, CHANGE_PHONE_GROUPS, NEW_PHONE_LINK, PHONES, REMOVE_PHONE } from './phones.ts';
import { PUBLISH } from './publish.ts';
import { RELOAD } from './reload.ts';
import { REMOVE_BRIDGE } from './remove-bridge.ts';
import { RESTART } from './restart.ts';
import { DISCARD_RESTORE, PREPARE_RESTORE, RESTORE, RESTORE_OBSTACLE } from './restore.ts';
import { DELETE_RETAINED, RETAINED, RETAINED_MESSAGE, RETAINED_TREE } from './retained.ts';
import { includesRight } from './right.ts';
import { ROLES, SET_ROLE } from './roles.ts';
import { CHANGE_RULES, RULES } from './rules.ts';
import { CHANGE_SERVICE, SERVICE_SETTINGS } from './service.ts';
import { EDIT_CONFIGURATION, KNOWN_SETTINGS, SETTINGS } from './settings.ts';
import { SETUP_CODE } from './setup-code.ts';
import { SIMULATE, WHO_CAN } from './simulate.ts';
import { STATUS } from './status.ts';
import { SUBSCRIPTIONS } from './subscriptions.ts';
import { END_HOLD, THROTTLE } from './throttle.ts';
import { ADD_TOKEN, REMOVE_TOKEN, TOKENS } from './tokens.ts';
import { CHECK_UPDATES, INSTALL_UPDATE, UPDATES } from './updates.ts';
import { ADD_USER, CHANGE_PASSWORD, LOCK_USER, REMOVE_USER, USERS } from './users.ts';
import { WHY } from './why.ts';

/** OPERATIONS are all of them. */
export const OPERATIONS: readonly Operation[] = [
  ...[STATUS, WHY, THROTTLE, END_HOLD, BACKUP, DOWNLOAD_BACKUP, RELOAD, RESTART, SETUP_CODE],
  ...[CLIENTS, CLIENT_OF, KICK_CLIENT, FORGET_SESSION, SUBSCRIPTIONS],
  ...[PUBLISH, RETAINED, RETAINED_TREE, RETAINED_MESSAGE, DELETE_RETAINED],
  ...[USERS, ADD_USER, CHANGE_PASSWORD, LOCK_USER, REMOVE_USER, RULES, CHANGE_RULES, BEGIN_RULES, SIMULATE, WHO_CAN],
  ...[DYNAMIC_SECURITY, ADD_DYNAMIC_CLIENT, CHANGE_DYNAMIC_CLIENT, REMOVE_DYNAMIC_CLIENT, CHANGE_DYNAMIC_DEFAULTS],
  ...[ADD_DYNAMIC_GROUP, CHANGE_DYNAMIC_GROUP, REMOVE_DYNAMIC_GROUP, ADD_DYNAMIC_ROLE, CHANGE_DYNAMIC_ROLE, REMOVE_DYNAMIC_ROLE],
  ...[CONFIGURATION, SETTINGS, KNOWN_SETTINGS, EDIT_CONFIGURATION, CHECK_CONFIGURATION, APPLY_CONFIGURATION, CONFIRM_CONFIGURATION],
  ...[TAKE_BACK_CONFIGURATION, CONFIGURATION_HISTORY],
  MAP_TILES,
  ...[
    PHONES,
    PHONE_SETUP,
    ADD_PHONE,
    NEW_PHONE_LINK,
    CHANGE_PHONE_GROUPS,
    CHANGE_PHONE_CARD,
    PHONE_PLACES,
    SEND_PHONE_PLACES,
    REMOVE_PHONE,
  ],
  ...[LOCATIONS, LOCATION_HISTORY, DELETE_LOCATIONS, LOCATION_SETTINGS, CHANGE_LOCATION_SETTINGS],
  ...[ROLES, SET_ROLE, TOKENS, ADD_TOKEN, REMOVE_TOKEN],
  ...[RESTORE_OBSTACLE, PREPARE_RESTORE, RESTORE, DISCARD_RESTORE],
  ...[BRIDGES, TEST_BRIDGE, GIVEN_INVITATIONS, INVITATION_SETUP, INVITE_BRIDGE, CHECK_INVITATION, ADD_BRIDGE, CHANGE_BRIDGE, REMOVE_BRIDGE],
  ...[CLUSTER, FORGET_BROKER],
  ...[CERTIFICATES, DOWNLOAD_AUTHORITY, CLIENT_CERTIFICATES, ISSUE_CLIENT_CERTIFICATE, REVOKE_CLIENT_CERTIFICATE],
  ...[CHANGES, HOST, HISTORY, CHECK_INTERNET, UPDATES, CHECK_UPDATES, INSTALL_UPDATE, LISTENERS, LOG, SERVICE_SETTINGS, CHANGE_SERVICE],
];

/** Operations are carried out on one broker. */
export class Operations {
  readonly #needs: () => OperationNeeds;
  readonly #table: readonly Operation[];
  readonly #tell: (change: Change) => void;

  /** `needs` is called for each operation, `tell` for each change that was made. */
  constructor(needs: () => OperationNeeds, table = OPERATIONS, tell: (change: Change) => void = () => {}) {
    this.#needs = needs;
    this.#table = table;
    this.#tell = tell;
  }

  /**
   * run gives the output, or the Download of a row that has one. Throws OperationFailure where there is no such operation, where the asker
   * has not its right or the input does not fit, and what the operation throws.
   */
  async run(name: string, input: unknown, asker: Asker, report: Report = () => {}): Promise<unknown> {
    const operation = this.#table.find((each) => each.name === name);
    if (operation === undefined)
      throw new OperationFailure('unknown operation', `Cannot answer request "${name}": this broker does not know it`);
    if (!includesRight(asker.right, operation.right))
      throw new OperationFailure('not allowed', `Cannot answer request "${name}": it needs the right "${operation.right}"`);
    const read = operation.input.safeParse(input);
    if (!read.success)
      throw new OperationFailure('bad input', `Cannot answer request "${name}": ${z.prettifyError(read.error)}`, {
        faults: read.error.issues.flatMap(faultsOf),
      });
    const output = await operation.run(this.#needs(), read.data, asker, report);
    const change = operation.isDone?.(output) === false ? null : changeBy(operation, read.data, asker);
    if (change !== null) this.#tell(change);
    return output;
  }
}

/** A word that is not known is the fault of that word, not of what it stands in. */
function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  const path = issue.path.filter((key): key is string | number => typeof key !== 'symbol');
  if (issue.code !== 'unrecognized_keys') return [{ path, message: issue.message }];
  return issue.keys.map((key) => ({ path: [...path, key], message: 'Unknown field' }));
}
