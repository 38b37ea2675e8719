// Server-Sent Events of the box, for as long as a view shows them.

import { useEffect } from 'preact/hooks';
import { api, ask } from './api/client.ts';
import { onReconnect } from './connection.ts';

/** Handlers by the name of the event; they get its JSON. */
export type Handlers = Readonly<Record<string, (data: unknown) => void>>;

/** useEvents follows a stream, and takes it up again after an interruption. Null = none is wanted. */
export function useEvents(path: string | null, handlers: Handlers): void {
  useEffect(() => (path === null ? undefined : follow(path, handlers)), [path]);
}

function follow(path: string, handlers: Handlers): () => void {
  let source: EventSource;
  const open = () => {
    source = new EventSource(path);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, (event) => handle(JSON.parse((event as MessageEvent<string>).data))); // an event with a name
    }
    // The browser tries again by itself, unless it was refused: this finds out whether the session or the box is what is missing.
    source.onerror = () => void ask(api.GET('/api/v1/session')).catch(() => {});
  };
  const reopen = onReconnect(() => {
    source.close();
    open();
  });
  open();
  return () => {
    reopen();
    source.close();
  };
}
