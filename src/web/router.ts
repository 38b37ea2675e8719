// Where we are, from the part of the address behind #: `#/clients/kitchen?sort=since` is the view "clients" with the rest ["kitchen"].

import { signal } from '@preact/signals';

/** Place is a parsed address. */
export interface Place {
  /** '' = none was given. */
  readonly view: string;
  readonly rest: readonly string[];
  readonly query: URLSearchParams;
}

/** place is where we are. */
export const place = signal<Place>(readPlace());

const offered = signal<ReadonlySet<string>>(new Set());

/** offer says which views there are for who is at work. */
export function offer(views: readonly string[]): void {
  offered.value = new Set(views);
}

/** isOffered tells whether a link to a view leads there. */
export function isOffered(view: string): boolean {
  return offered.value.has(view);
}

/** startRouter follows the address. */
export function startRouter(): () => void {
  const follow = () => {
    place.value = readPlace();
  };
  addEventListener('hashchange', follow);
  return () => removeEventListener('hashchange', follow);
}

/** linkTo gives the address of a place, for `href`. */
export function linkTo(view: string, rest: readonly string[] = [], query: Readonly<Record<string, string>> = {}): string {
  const search = new URLSearchParams(query).toString();
  return `#/${[view, ...rest].map(encodeURIComponent).join('/')}${search === '' ? '' : `?${search}`}`;
}

/** go moves there. */
export function go(view: string, rest: readonly string[] = [], query: Readonly<Record<string, string>> = {}): void {
  location.hash = linkTo(view, rest, query);
}

/** goInstead moves there, and the way back leads past the place where we are. */
export function goInstead(view: string, rest: readonly string[] = []): void {
  location.replace(linkTo(view, rest));
}

function readPlace(): Place {
  const [path = '', search = ''] = location.hash.replace(/^#\/?/, '').split('?');
  const [view = '', ...rest] = path.split('/').map(decode);
  return { view, rest: rest.filter((part) => part !== ''), query: new URLSearchParams(search) };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // somebody has typed it
  }
}
