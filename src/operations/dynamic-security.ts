// Dynamic security as it stands: its clients, groups and roles.

import { z } from 'zod';
import {
  ACL_TYPES,
  byName,
  type DefaultType,
  linksInOrder,
  membersOf,
  NO_PRIORITY,
  type SecurityModel,
} from '../access/dynamic-security/model.ts';
import { securityFileText } from '../access/dynamic-security/security-file.ts';
import { revisionOf } from './change-in-force.ts';
import { operation } from './operation.ts';
import { PAGE_INPUT, type Paged, pageOf, takePage } from './page.ts';

const TEXTS = {
  text: z.string().nullable().describe('its name for people'),
  description: z.string().nullable(),
};

const LINK = z.object({ name: z.string(), priority: z.number().int().nullable().describe('null = none was given') });

const ACL = z.object({
  type: z.enum(ACL_TYPES),
  topic: z.string().describe('topic filter, with %c and %u for client identifier and user name'),
  priority: z.number().int(),
  allow: z.boolean(),
});

/** DEFAULTS has a verdict for each type. */
export const DEFAULTS = z.strictObject({
  publishClientSend: z.boolean(),
  publishClientReceive: z.boolean(),
  subscribe: z.boolean(),
  unsubscribe: z.boolean(),
} satisfies Record<DefaultType, z.ZodBoolean>);

const MODEL = z.object({
  clients: pageOf(
    z.object({
      username: z.string(),
      ...TEXTS,
      clientId: z.string().nullable().describe('it must come with this client identifier; null = with any'),
      disabled: z.boolean(),
      hasPassword: z.boolean().describe('false = it cannot sign in'),
      roles: z.array(LINK),
      groups: z.array(LINK),
    }),
  ),
  groups: z.array(z.object({ name: z.string(), ...TEXTS, roles: z.array(LINK), members: z.array(z.string()) })),
  roles: z.array(z.object({ name: z.string(), ...TEXTS, allowWildcardSubs: z.boolean(), acls: z.array(ACL) })),
  anonymousGroup: z.string().nullable().describe('whose roles clients without a user name have'),
  defaults: DEFAULTS.describe('what counts where no role says anything'),
});

/** DYNAMIC_SECURITY tells it. */
export const DYNAMIC_SECURITY = operation({
  name: 'dynamic security',
  kind: 'query',
  right: 'admin',
  summary: 'Clients, groups and roles of dynamic security; the clients come in pages.',
  input: z.strictObject(PAGE_INPUT),
  output: z.object({
    model: MODEL.nullable().describe('null = the configuration does not turn it on'),
    revision: z.string().nullable().describe('of the model'),
  }),
  run: ({ access: { dynamic } }, page) =>
    dynamic === null ? { model: null, revision: null } : { model: show(dynamic.model, page), revision: modelRevision(dynamic.model) },
});

/** modelRevision names what the model holds, against two who change it at a time: by commands, or by hand in the file, which counts no changes. */
export function modelRevision(model: SecurityModel): string {
  return revisionOf(securityFileText(model));
}

function show(model: SecurityModel, page: Paged) {
  const clients = takePage(
    model.clients.values(),
    page,
    ({ username }) => username,
    ({ username, textName, textDescription, clientId, disabled, password, roles, groups }) => ({
      username,
      text: textName,
      description: textDescription,
      clientId,
      disabled,
      hasPassword: password !== null,
      roles: links(roles),
      groups: links(groups),
    }),
  );
  const groups = byName(model.groups).map(({ name, textName, textDescription, roles }) => ({
    name,
    text: textName,
    description: textDescription,
    roles: links(roles),
    members: membersOf(model, name).map(({ username }) => username),
  }));
  const roles = byName(model.roles).map(({ name, textName, textDescription, allowWildcardSubs, acls }) => ({
    name,
    text: textName,
    description: textDescription,
    allowWildcardSubs,
    acls: acls.map(({ type, topicFilter, priority, allow }) => ({ type, topic: topicFilter, priority, allow })),
  }));
  return { clients, groups, roles, anonymousGroup: model.anonymousGroup, defaults: model.defaults };
}

function links(of: ReadonlyMap<string, number>) {
  return linksInOrder(of).map(([name, priority]) => ({ name, priority: priority === NO_PRIORITY ? null : priority }));
}
