// What the two threads say to each other: one reply per request, in the order of asking (a backup may be overtaken).

import type { Fault } from './faults.ts';
import type { LocationReplies, LocationRequest } from './location-table.ts';
import type { Rewrite } from './rewrite-file.ts';
import type { OpenReport, OpenRequest, WorkReport } from './worker-store.ts';

/** Request is what the worker is asked; bytes are transferred. */
export type Request =
  | { readonly kind: 'open'; readonly request: OpenRequest }
  | { readonly kind: 'load' }
  | { readonly kind: 'commit'; readonly records: Uint8Array<ArrayBuffer> }
  | { readonly kind: 'names'; readonly after: string }
  | { readonly kind: 'locations'; readonly request: LocationRequest }
  | { readonly kind: 'backup'; readonly file: string }
  | { readonly kind: 'close' };

/** Replies by kind of request. */
export interface Replies {
  readonly open: OpenReport;
  /** A piece of what is there, null after the last. */
  readonly load: Uint8Array<ArrayBuffer> | null;
  /** What was done because the file of the database was gone, null = nothing. */
  readonly commit: Rewrite | null;
  /** Topics of retained values, in the order of the database; none = there are no more. */
  readonly names: readonly string[];
  readonly locations: LocationReplies[keyof LocationReplies];
  readonly backup: null;
  readonly close: null;
}

export interface RequestEnvelope {
  readonly id: number;
  readonly request: Request;
}

/** ReplyEnvelope: with a fault there is no result. */
export interface ReplyEnvelope {
  readonly id: number;
  readonly result: Replies[keyof Replies];
  readonly fault: Fault | null;
  readonly work: WorkReport;
}
