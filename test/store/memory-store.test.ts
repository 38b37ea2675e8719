// The contract against the reference: if it fails here, the contract is wrong.

import { MemoryStore } from './memory-store.ts';
import { testStore } from './store-contract.ts';

testStore('MemoryStore', async () => {
  const store = new MemoryStore();
  return { store, reopen: async () => store };
});
