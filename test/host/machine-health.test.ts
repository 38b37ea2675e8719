// How a board fares, as the kernels of several boards tell it in their files.

import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { machineHealth } from '../../src/host/machine-health.ts';
import { temporaryFolder } from '../support/disk/temporary-folder.ts';

for (const [board, file] of [
  ['Raspberry Pi 4', 'devices/platform/soc/soc:firmware/get_throttled'],
  ['Raspberry Pi 5', 'devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled'],
] as const) {
  test(`machine health tells low voltage and heat when a ${board} runs Raspberry Pi OS`, async (t) => {
    const { power } = await healthOf(t, { [file]: '50005\n', 'devices/platform/soc.other': '' });
    assert.deepEqual(power, { now: ['undervoltage', 'throttled'], sinceBoot: ['undervoltage', 'throttled'] });
  });
}

test('machine health tells low voltage of the moment when the kernel is not of Raspberry Pi', async (t) => {
  const hwmon = (alarm: string) => ({
    'class/hwmon/hwmon0/name': 'cpu_thermal\n',
    'class/hwmon/hwmon1/name': 'rpi_volt\n',
    'class/hwmon/hwmon1/in0_lcrit_alarm': alarm,
  });
  assert.deepEqual((await healthOf(t, hwmon('1\n'))).power, { now: ['undervoltage'], sinceBoot: null });
  assert.deepEqual((await healthOf(t, hwmon('0\n'))).power, { now: [], sinceBoot: null });
});

test('machine health says nothing of the power supply when the kernel does not', async (t) => {
  assert.equal((await healthOf(t, { 'class/hwmon/hwmon0/name': 'cpu_thermal\n' })).power, null);
});

test('machine health tells the temperature of the processor and the signal of the Wi-Fi', async (t) => {
  const zone = 'class/thermal/thermal_zone';
  const { cpuTemperature, wifi } = await healthOf(t, {
    [`${zone}0/type`]: 'ddr-thermal\n',
    [`${zone}0/temp`]: '30000\n',
    [`${zone}1/type`]: 'cpu-thermal\n',
    [`${zone}1/temp`]: '48312\n',
    'net/wireless': 'Inter-|\n face |\n wlan0: 0000   54.  -56.  -256        0      0\n',
  });
  assert.equal(cpuTemperature, 48.3);
  assert.deepEqual(wifi, [{ name: 'wlan0', signal: -56 }]);
});

test('machine health tells whether a time server has set the clock, where timesyncd would tell', async (t) => {
  assert.equal((await healthOf(t, {})).clockSet, null);
  assert.equal((await healthOf(t, { 'systemd/timesync/.keep': '' })).clockSet, false);
  assert.equal((await healthOf(t, { 'systemd/timesync/synchronized': '' })).clockSet, true);
});

function healthOf(t: TestContext, files: Record<string, string>) {
  const root = temporaryFolder(t);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return machineHealth(root, { sys: root, proc: root, run: root });
}
