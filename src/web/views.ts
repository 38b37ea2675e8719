// The views of the page. A view is a row here and a file in views/ with a component `View`, which is loaded when somebody first goes there.

import type { ComponentType } from 'preact';
import type { IconName } from './components/icon.tsx';
import type { Key } from './i18n.ts';
import type { Right } from './visit.ts';

/** ViewRow describes a view. */
export interface ViewRow {
  /** The first part of its address: `#/overview`. */
  readonly path: string;
  readonly title: Key;
  readonly icon: IconName;
  /** Who has less does not see it. */
  readonly right: Right;
  readonly load: () => Promise<{ readonly View: ComponentType }>;
}

/** VIEWS in the order in which they are offered; the first is where everybody begins, and on a phone the first four are in reach of the thumb. */
export const VIEWS: readonly ViewRow[] = [
  { path: 'overview', title: 'overview.title', icon: 'gauge', right: 'viewer', load: () => import('./views/overview.tsx') },
  { path: 'clients', title: 'clients.title', icon: 'plug', right: 'viewer', load: () => import('./views/clients.tsx') },
  { path: 'topics', title: 'topics.title', icon: 'tree', right: 'viewer', load: () => import('./views/topics.tsx') },
  { path: 'people', title: 'people.title', icon: 'people', right: 'admin', load: () => import('./views/people.tsx') },
  { path: 'phones', title: 'phones.title', icon: 'phone', right: 'admin', load: () => import('./views/phones.tsx') },
  { path: 'where', title: 'where.title', icon: 'pin', right: 'viewer', load: () => import('./views/where.tsx') },
  { path: 'bridges', title: 'bridges.title', icon: 'bridge', right: 'viewer', load: () => import('./views/bridges.tsx') },
  { path: 'certificates', title: 'certificates.title', icon: 'shield', right: 'viewer', load: () => import('./views/certificates.tsx') },
  { path: 'outside', title: 'outside.title', icon: 'globe', right: 'operator', load: () => import('./views/outside.tsx') },
  { path: 'settings', title: 'settings.title', icon: 'sliders', right: 'admin', load: () => import('./views/settings.tsx') },
  { path: 'log', title: 'log.title', icon: 'log', right: 'viewer', load: () => import('./views/log.tsx') },
  { path: 'updates', title: 'updates.title', icon: 'download', right: 'viewer', load: () => import('./views/updates.tsx') },
  { path: 'backup', title: 'backup.title', icon: 'archive', right: 'admin', load: () => import('./views/backup.tsx') },
];
