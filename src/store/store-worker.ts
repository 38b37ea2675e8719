// The worker thread of the store: answers what the other half asks. The only file of the room that does something when it is loaded.

import { parentPort } from 'node:worker_threads';
import { faultOf } from './faults.ts';
import type { ReplyEnvelope, RequestEnvelope } from './worker-protocol.ts';
import { WorkerStore } from './worker-store.ts';

serve();

function serve(): void {
  const store = new WorkerStore();
  parentPort?.on('message', (envelope: RequestEnvelope) => void handle(store, envelope));
}

async function handle(store: WorkerStore, { id, request }: RequestEnvelope): Promise<void> {
  const answer = (result: ReplyEnvelope['result'], fault: ReplyEnvelope['fault'] = null) => {
    const transferred = result instanceof Uint8Array ? [result.buffer] : [];
    parentPort?.postMessage({ id, result, fault, work: store.report() } satisfies ReplyEnvelope, transferred);
  };
  try {
    if (request.kind !== 'backup') while (store.backupStart !== null) await store.backupStart; // all that wait go on in their order
    switch (request.kind) {
      case 'open':
        return answer(store.open(request.request));
      case 'load':
        return answer(store.load());
      case 'commit':
        answer(store.commit(request.records));
        return store.tidy();
      case 'names':
        return answer(store.namesAfter(request.after));
      case 'locations':
        answer(store.locations(request.request));
        return store.tidy();
      case 'backup':
        await store.backup(request.file);
        return answer(null);
      case 'close':
        store.close();
        return answer(null);
    }
  } catch (error) {
    answer(null, faultOf(error));
  }
}
