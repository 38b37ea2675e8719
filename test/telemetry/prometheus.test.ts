// What Prometheus gets: good names, no label that a client chooses, and a real Prometheus that takes it and shows it on the dashboard's queries.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { METRICS } from '../../src/telemetry/metrics.ts';
import { Prometheus, prometheusName, type TimedStore } from '../../src/telemetry/prometheus.ts';
import { openApi } from '../api/open-api.ts';
import { startTestBroker } from '../support/broker/test-broker.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';
import { freePorts } from '../support/network/free-ports.ts';
import { watchProcess } from '../support/process/watched-process.ts';

const PROMETHEUS = '/usr/bin/prometheus';
const skip = existsSync(PROMETHEUS) ? false : "Debian's prometheus is not installed";

const DASHBOARD = join(import.meta.dirname, '../../docs/grafana-dashboard.json');

/** The label that a Prometheus gives itself, and those that are ours. */
const LABELS = ['bridge', 'broker', 'le', 'program', 'version'];

const MACHINE = {
  cpuTemperature: 47.2,
  memory: { total: 4e9, available: 3e9 },
  disk: { total: 3e10, free: 2e10 },
  power: { now: ['low voltage'] },
};

const BRIDGES = [
  { name: 'cloud', phase: 'connected', received: 1, sent: 2, dropped: 3, queued: 4 },
  { name: 'anna', phase: 'waiting', received: 0, sent: 0, dropped: 0, queued: 7 },
];

const CLUSTER = {
  phase: 'connected',
  carried: 12,
  peers: [
    { id: 'box-1', phase: 'connected', sent: 2, dropped: 0, queued: 0, latency: 1.5 },
    { id: 'box-2', phase: 'away', sent: 3, dropped: 1, queued: 4, latency: null },
  ],
};

async function openMetrics(context: TestContext) {
  const house = await startTestBroker();
  const times: Parameters<TimedStore['watch']>[0][] = [];
  const store = {
    counters: () => ({ bytesWritten: 5, commits: 2, fsyncs: 3 }),
    watch: (each: (typeof times)[number]) => void times.push(each),
  };
  const prometheus = new Prometheus({
    broker: house.broker,
    store,
    machine: () => MACHINE,
    bridges: () => BRIDGES,
    cluster: () => CLUSTER,
    title: 'midge version 1.2.3',
    since: 1000,
  });
  prometheus.start();
  context.after(async () => {
    prometheus.stop();
    await house[Symbol.asyncDispose]();
  });
  return { house, prometheus, times };
}

test('each metric of the table is told with its value, and times as histograms', async (context) => {
  const { prometheus, times } = await openMetrics(context);
  times[0]?.commit(0.003);
  times[0]?.wait(0.2);
  const { text, contentType } = await prometheus.read();
  assert.match(contentType, /^text\/plain; version=0\.0\.4/);
  for (const metric of METRICS) assert.match(text, new RegExp(`^${prometheusName(metric)} \\d+$`, 'm'));
  assert.match(text, /^midge_build_info\{program="midge",version="1\.2\.3"\} 1$/m);
  assert.match(text, /^midge_store_written_bytes_total 5$/m);
  assert.match(text, /^midge_store_commit_seconds_bucket\{le="0\.0025"\} 0$/m);
  assert.match(text, /^midge_store_commit_seconds_bucket\{le="0\.005"\} 1$/m);
  assert.match(text, /^midge_acknowledgement_wait_seconds_sum 0\.2$/m);
  assert.match(text, /^midge_machine_temperature_celsius 47\.2$/m);
  assert.match(text, /^midge_bridge_connected\{bridge="cloud"\} 1\nmidge_bridge_connected\{bridge="anna"\} 0$/m);
  assert.match(text, /^midge_bridge_messages_sent_total\{bridge="cloud"\} 2$/m);
  assert.match(text, /^midge_bridge_messages_queued\{bridge="anna"\} 7$/m);
  assert.match(text, /^midge_cluster_connected 1$/m);
  assert.match(text, /^midge_cluster_nats_messages_total 12$/m);
  assert.match(text, /^midge_cluster_broker_connected\{broker="box-1"\} 1\nmidge_cluster_broker_connected\{broker="box-2"\} 0$/m);
  assert.match(text, /^midge_cluster_broker_messages_queued\{broker="box-2"\} 4$/m);
  assert.match(text, /^midge_cluster_broker_latency_seconds\{broker="box-1"\} 0\.0015$/m);
  assert.doesNotMatch(text, /latency_seconds\{broker="box-2"/);
  prometheus.stop();
  assert.equal(times.at(-1), null, 'nobody is told of times after the stop');
});

test('metrics are told in OpenMetrics to who accepts it', async (context) => {
  const { prometheus, times } = await openMetrics(context);
  times[0]?.commit(0.003);
  const { text, contentType } = await prometheus.read(
    'application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
  );
  assert.equal(contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8');
  assert.match(text, /^# TYPE midge_store_commits counter\nmidge_store_commits_total 2$/m);
  assert.match(text, /^midge_store_commit_seconds_bucket\{le="1\.0"\} 1$/m);
  assert.match(text, /^midge_machine_temperature_celsius 47\.2$/m);
  assert.match(text, /[^\n]\n# EOF\n$/);
  assert.doesNotMatch(text, /^$(?!$)\n|^# (HELP|TYPE) \w+_total /m);
  for (const accept of [undefined, '*/*', 'text/plain', 'application/openmetrics-text;q=0', 'application/openmetrics-text;version=9.0.0'])
    assert.match((await prometheus.read(accept)).contentType, /^text\/plain; version=0\.0\.4/, accept);
});

test('metrics of a machine are left out where it does not tell them', async (context) => {
  const { house } = await openMetrics(context);
  let facts: null | { cpuTemperature: null; memory: { total: number; available: number }; disk: null; power: null } = null;
  const silent = new Prometheus({
    ...{ broker: house.broker, store: null, machine: () => facts, bridges: () => [], cluster: () => null },
    ...{ title: 'midge', since: 0 },
  });
  assert.doesNotMatch((await silent.read()).text, /^midge_cluster_(connected|broker_\w+)[ {]/m);
  assert.doesNotMatch((await silent.read()).text, /^midge_machine_\w+ /m);
  facts = { cpuTemperature: null, memory: { total: 2, available: 1 }, disk: null, power: null };
  const { text } = await silent.read();
  assert.match(text, /^midge_machine_memory_size_bytes 2$/m);
  assert.doesNotMatch(text, /^midge_machine_(temperature|disk|power)\w+ /m);
});

test('metrics have no label whose value a client chooses', async (context) => {
  const { house, prometheus } = await openMetrics(context);
  const phone = await house.connect();
  phone.send("30 [ 'evil/id' 'data' ]");
  const { text } = await prometheus.read();
  const labels = new Set(Array.from(text.matchAll(/[{,](\w+)="/g), ([, name]) => name));
  assert.deepEqual([...labels].sort(), LABELS);
  assert.doesNotMatch(text, /evil/);
});

test('promtool finds nothing to say about the metrics', { skip }, async (context) => {
  const { prometheus } = await openMetrics(context);
  const { text } = await prometheus.read();
  const { status, stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([status, stdout, stderr], [0, '', '']);
});

test('dashboard asks for metrics that there are, and for each kind of them by its rules', async (context) => {
  const { prometheus } = await openMetrics(context);
  const text = readFileSync(DASHBOARD, 'utf8');
  const expressions: string[] = JSON.parse(text).panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
    targets.map(({ expr }) => expr),
  );
  assert.ok(expressions.length > 20);
  const known = new Set(prometheus.names);
  for (const expression of expressions) {
    for (const [, name = ''] of expression.matchAll(/\b((?:midge|process)_\w+)/g)) {
      assert.ok(known.has(name.replace(/_bucket$/, '')), `${name} is not told`);
      assert.equal(/^rate\(|histogram_quantile\(/.test(expression), /_total$|_bucket$/.test(name), expression);
    }
  }
  assert.ok(known.has(/label_values\((\w+), instance\)/.exec(text)?.[1] ?? ''));
});

test('real Prometheus scrapes the API with a Bearer token, and answers the queries of the dashboard', { skip }, async (context) => {
  const { prometheus, times } = await openMetrics(context);
  times[0]?.commit(0.003);
  times[0]?.wait(0.003);
  const told: string[] = [];
  const metrics = async (accept?: string) => {
    const answer = await prometheus.read(accept);
    told.push(answer.contentType);
    return answer;
  };
  const api = await openApi(context, { table: [], metrics });
  const folder = temporaryFolder(context);
  const [port = 0] = await freePorts(1);
  const configuration = {
    global: { scrape_interval: '1s' },
    scrape_configs: [
      { job_name: 'midge', authorization: { credentials: 'monitoring' }, static_configs: [{ targets: [`127.0.0.1:${api.port}`] }] },
    ],
  };
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(configuration)); // JSON is YAML
  const words = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`, `--web.listen-address=127.0.0.1:${port}`];
  const program = watchProcess(context, [PROMETHEUS, words]);
  await program.line(/Server is ready to receive web requests/);
  const query = async (expression: string) => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`);
    return (await answer.json()) as { status: string; error?: string; data: { result: { value: [number, string] }[] } };
  };
  const until = async (expression: string, value: string) => {
    for (;;) {
      const { data } = await query(expression);
      if (data.result[0]?.value[1] === value) return;
      await pause(200);
    }
  };
  await until('up{job="midge"}', '1');
  assert.match(told.at(-1) ?? '', /^application\/openmetrics-text/, 'it asks for OpenMetrics first');
  await until('midge_clients_connected', '0');
  await until('midge_store_commit_seconds_count', '1');
  const { panels } = JSON.parse(readFileSync(DASHBOARD, 'utf8')) as { panels: { targets: { expr: string }[] }[] };
  for (const { expr } of panels.flatMap(({ targets }) => targets)) {
    const expression = expr.replaceAll('$__rate_interval', '5s').replaceAll('"$instance"', '".+"');
    for (;;) {
      const { status, error, data } = await query(expression);
      assert.equal(status, 'success', `${expression}: ${error}`);
      if (data.result.length > 0) break;
      await pause(200);
    }
  }
});
