// The load generator in JavaScript, for machines without a C compiler: the arguments, flows, checks and result of generate.c, except that
// it cannot pin itself to a core. It is careful and still several times slower.

import { type GeneratorLoad, Run } from './run.ts';

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});

async function main(args: readonly string[]): Promise<void> {
  const run = new Run(readLoad(args));
  await run.open();
  console.log(JSON.stringify(await run.measure()));
  process.exit(0);
}

function readLoad(args: readonly string[]): GeneratorLoad {
  const given = new Map(args.map((argument) => argument.split('=', 2) as [string, string]));
  const number = (name: string, standard: number) => Number(given.get(name) ?? standard);
  const client = {
    port: number('port', 0),
    version: number('version', 4),
    tls: number('tls', 0) === 1,
    websocket: number('websocket', 0) === 1,
    username: given.get('username') ?? null,
    password: given.get('password') ?? null,
    kept: false,
  };
  return {
    port: client.port,
    publishers: number('publishers', 1),
    subscribers: number('subscribers', 1),
    topics: number('topics', 1),
    wildcard: number('wildcard', 0),
    spread: number('spread', 0),
    window: number('window', 1),
    qos: number('qos', 0),
    payload: number('payload', 64),
    version: client.version,
    kept: number('kept', 0),
    broker: number('broker', 0),
    warmup: number('warmup', 0.5),
    seconds: number('seconds', 2),
    client,
  };
}
