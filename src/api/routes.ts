// The one place that gives an operation its method and its path below /api/v1.

import type { Operation } from '../operations/operation.ts';

export const BASE = '/api/v1';

/** Route is where an operation is offered; `{name}` in its path is that field of the input. The other fields are in the query of a GET or DELETE, or else in the body. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
}

/** ROUTES has a row for each operation, or the reason why there is none. */
export const ROUTES: Readonly<Record<string, Route | { readonly notOffered: string }>> = {
  status: { method: 'GET', path: '/status' },
  why: { method: 'GET', path: '/why' },
  throttle: { method: 'GET', path: '/throttle' },
  'end hold': { method: 'DELETE', path: '/throttle' },
  clients: { method: 'GET', path: '/clients' },
  client: { method: 'GET', path: '/clients/{id}' },
  'kick client': { method: 'POST', path: '/clients/{id}/kick' },
  'forget session': { method: 'DELETE', path: '/clients/{id}' },
  subscriptions: { method: 'GET', path: '/subscriptions' },
  publish: { method: 'POST', path: '/messages' },
  retained: { method: 'GET', path: '/retained' },
  'retained tree': { method: 'GET', path: '/retained-tree' },
  'retained message': { method: 'GET', path: '/retained-message' },
  'delete retained': { method: 'POST', path: '/retained-deletions' },
  users: { method: 'GET', path: '/users' },
  'add user': { method: 'POST', path: '/users' },
  'change password': { method: 'PUT', path: '/users/{username}/password' },
  'lock user': { method: 'PUT', path: '/users/{username}/lock' },
  'remove user': { method: 'DELETE', path: '/users/{username}' },
  rules: { method: 'GET', path: '/rules' },
  'change rules': { method: 'PATCH', path: '/rules' },
  'begin rules': { method: 'POST', path: '/rules/beginning' },
  simulate: { method: 'GET', path: '/rules/simulation' },
  'who can': { method: 'GET', path: '/rules/who-can' },
  'dynamic security': { method: 'GET', path: '/dynamic-security' },
  'add dynamic client': { method: 'POST', path: '/dynamic-security/clients' },
  'change dynamic client': { method: 'PATCH', path: '/dynamic-security/clients/{username}' },
  'remove dynamic client': { method: 'DELETE', path: '/dynamic-security/clients/{username}' },
  'add dynamic group': { method: 'POST', path: '/dynamic-security/groups' },
  'change dynamic group': { method: 'PATCH', path: '/dynamic-security/groups/{name}' },
  'remove dynamic group': { method: 'DELETE', path: '/dynamic-security/groups/{name}' },
  'add dynamic role': { method: 'POST', path: '/dynamic-security/roles' },
  'change dynamic role': { method: 'PATCH', path: '/dynamic-security/roles/{name}' },
  'remove dynamic role': { method: 'DELETE', path: '/dynamic-security/roles/{name}' },
  'change dynamic defaults': { method: 'PATCH', path: '/dynamic-security/defaults' },
  configuration: { method: 'GET', path: '/configuration' },
  settings: { method: 'GET', path: '/configuration/settings' },
  'known settings': { method: 'GET', path: '/configuration/known-settings' },
  'edit configuration': { method: 'POST', path: '/configuration/edits' },
  'check configuration': { method: 'POST', path: '/configuration/check' },
  'apply configuration': { method: 'PUT', path: '/configuration' },
  'confirm configuration': { method: 'POST', path: '/configuration/confirmation' },
  'take back configuration': { method: 'DELETE', path: '/configuration/unconfirmed' },
  'configuration history': { method: 'GET', path: '/configuration/history' },
  roles: { method: 'GET', path: '/roles' },
  'set role': { method: 'PUT', path: '/roles/{username}' },
  phones: { method: 'GET', path: '/phones' },
  'map tiles': { method: 'GET', path: '/map' },
  'phone setup': { method: 'GET', path: '/phone-setup' },
  'add phone': { method: 'POST', path: '/phones' },
  'new phone link': { method: 'POST', path: '/phones/{person}/{device}/link' },
  'change phone groups': { method: 'PUT', path: '/phones/{person}/groups' },
  'change phone card': { method: 'PATCH', path: '/phones/{person}/card' },
  'phone places': { method: 'GET', path: '/phones/{person}/{device}/places' },
  'send phone places': { method: 'POST', path: '/phones/{person}/{device}/places' },
  'remove phone': { method: 'DELETE', path: '/phones/{person}' },
  locations: { method: 'GET', path: '/locations' },
  'location history': { method: 'GET', path: '/locations/{person}/{device}' },
  'delete locations': { method: 'POST', path: '/location-deletions' },
  'location settings': { method: 'GET', path: '/location-settings' },
  'change location settings': { method: 'PATCH', path: '/location-settings' },
  tokens: { method: 'GET', path: '/tokens' },
  'add token': { method: 'POST', path: '/tokens' },
  'remove token': { method: 'DELETE', path: '/tokens/{name}' },
  service: { method: 'GET', path: '/service' },
  'change service': { method: 'PATCH', path: '/service' },
  updates: { method: 'GET', path: '/updates' },
  'check updates': { method: 'POST', path: '/updates/check' },
  'install update': { method: 'POST', path: '/updates/installation' },
  'check internet': { method: 'POST', path: '/internet/check' },
  bridges: { method: 'GET', path: '/bridges' },
  cluster: { method: 'GET', path: '/cluster' },
  'forget broker': { method: 'DELETE', path: '/cluster/brokers/{id}' },
  'test bridge': { method: 'POST', path: '/bridges/{name}/test' },
  'bridge invitations': { method: 'GET', path: '/bridge-invitations' },
  'invitation setup': { method: 'GET', path: '/bridge-invitations/setup' },
  'invite bridge': { method: 'POST', path: '/bridge-invitations' },
  'check invitation': { method: 'POST', path: '/bridge-invitations/check' },
  'add bridge': { method: 'POST', path: '/bridges' },
  'change bridge': { method: 'PATCH', path: '/bridges/{name}' },
  'remove bridge': { method: 'DELETE', path: '/bridges/{name}' },
  certificates: { method: 'GET', path: '/certificates' },
  'download authority': { method: 'GET', path: '/certificates/authority' },
  'client certificates': { method: 'GET', path: '/certificates/clients' },
  'issue client certificate': { method: 'POST', path: '/certificates/clients' },
  'revoke client certificate': { method: 'DELETE', path: '/certificates/clients/{certificate}' },
  'download backup': { method: 'GET', path: '/backup' },
  'restore obstacle': { method: 'GET', path: '/restores' },
  'prepare restore': { method: 'POST', path: '/restores' },
  restore: { method: 'POST', path: '/restores/{id}/confirmation' },
  'discard restore': { method: 'DELETE', path: '/restores/{id}' },
  host: { method: 'GET', path: '/host' },
  history: { method: 'GET', path: '/history' },
  listeners: { method: 'GET', path: '/listeners' },
  log: { method: 'GET', path: '/log' },
  changes: { method: 'GET', path: '/changes' },
  reload: { method: 'POST', path: '/reload' },
  restart: { method: 'POST', path: '/restart' },
  'setup code': { notOffered: 'it is for who has nobody to sign in as' },
  backup: { notOffered: 'it makes a file that a program of this machine takes away' },
};

/** OfferedOperation is a row of the table with its place. */
export interface OfferedOperation {
  readonly operation: Operation;
  readonly route: Route;
}

/** offeredOperations are those of a table that have a route. */
export function offeredOperations(table: readonly Operation[], routes = ROUTES): readonly OfferedOperation[] {
  return table.flatMap((operation) => {
    const route = routes[operation.name];
    return route === undefined || 'notOffered' in route ? [] : [{ operation, route }];
  });
}

/** hasBody tells where the fields of the input are. */
export function hasBody({ method }: Route): boolean {
  return method !== 'GET' && method !== 'DELETE';
}

/** fieldsInPath are the names in braces. */
export function fieldsInPath({ path }: Route): readonly string[] {
  return Array.from(path.matchAll(/\{(\w+)\}/g), ([, name = '']) => name);
}
