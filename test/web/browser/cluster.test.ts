// A cluster in a real browser: both brokers, the one that goes away, and what becomes of it when it is forgotten.

import { test } from 'node:test';
import { startMember, startNats } from '../../cluster/scene.ts';
import { openBox } from './box.ts';
import { LOOKS, noBrowser, openBrowser } from './browser.ts';

test('page shows the brokers of a cluster, says when one is away, and forgets it', { skip: noBrowser }, async (context) => {
  const browser = await openBrowser(context);
  const nats = await startNats(context);
  const other = await startMember(context, nats, 'box-2', { name: 'home' });
  const box = await openBox(context, { after: [`cluster nats://${nats.servers[0]}`, 'cluster_name home', 'cluster_id box-1'] });
  const { page, audit } = await browser.visit(box, { look: LOOKS[0]!, session: await box.claim() });
  await page.goto(`${box.url}/#/bridges`);
  const own = page.getByRole('region', { name: 'Cluster home' });
  const peer = page.getByRole('region', { name: 'box-2' });
  await own.getByText('2 of 2').waitFor();
  await peer.getByText('connected', { exact: true }).waitFor();
  await peer.getByText('There and back').waitFor();
  await audit();

  await other.leave();
  await peer.getByText('away', { exact: true }).waitFor();
  await peer.getByText('it stops').waitFor();
  await page.goto(`${box.url}/#/overview`);
  await page.getByText('The broker “box-2” of the cluster is away').waitFor();
  await audit();
  await page.getByRole('link', { name: 'Show the cluster' }).click();
  await peer.getByRole('button', { name: 'Forget this broker' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByText('The messages that wait for it').waitFor();
  await audit();
  await dialog.getByRole('button', { name: 'Forget this broker' }).click();
  await own.getByText('1 of 1').waitFor();
  await peer.waitFor({ state: 'detached' });
});
