// The worker thread of the store: answers what the other half asks. The only file of the room that does something when it is loaded.

import { parentPort } from 'node:worker_threads';
import type { ReplyEnvelope, RequestEnvelope } from './conversation.ts';
import { faultOf } from './faults.ts';
import { Keeper } from './keeper.ts';

serve();

function serve(): void {
  const keeper = new Keeper();
  parentPort?.on('message', (envelope: RequestEnvelope) => void handle(keeper, envelope));
}

async function handle(keeper: Keeper, { id, request }: RequestEnvelope): Promise<void> {
  const answer = (result: ReplyEnvelope['result'], fault: ReplyEnvelope['fault'] = null) => {
    const transferred = result instanceof Uint8Array ? [result.buffer] : [];
    parentPort?.postMessage({ id, result, fault, work: keeper.report() } satisfies ReplyEnvelope, transferred);
  };
  try {
    if (request.kind !== 'backup') while (keeper.backupStart !== null) await keeper.backupStart; // all that wait go on in their order
    switch (request.kind) {
      case 'open':
        return answer(keeper.open(request.request));
      case 'load':
        return answer(keeper.load());
      case 'commit':
        answer(keeper.commit(request.records));
        return keeper.tidy();
      case 'names':
        return answer(keeper.namesAfter(request.after));
      case 'backup':
        await keeper.backup(request.file);
        return answer(null);
      case 'close':
        keeper.close();
        return answer(null);
    }
  } catch (error) {
    answer(null, faultOf(error));
  }
}
