// custom.toml: what Raspberry Pi Imager wrote for Raspberry Pi OS of 2023 to 2025.

import { addKeys, hide, type Reading, record, sayNoLogin, setHostName, setTimeZone, setWifi } from './imager-wishes.ts';

/** readCustomToml reads config_version 1. https://github.com/RPi-Distro/raspberrypi-sys-mods: init_config */
export function readCustomToml(data: Record<string, unknown>, reading: Reading): void {
  const [user, ssh, wlan] = [record(data['user']), record(data['ssh']), record(data['wlan'])];
  setHostName(record(data['system'])['hostname'], reading);
  setTimeZone(record(data['locale'])['timezone'], reading);
  addKeys(ssh['authorized_keys'], reading);
  sayNoLogin(user['name'], reading);
  hide(user, 'password', 'login', reading);
  if (typeof wlan['ssid'] !== 'string') return;
  setWifi({ name: wlan['ssid'], holder: wlan, key: 'password', country: wlan['country'], hidden: wlan['hidden'] === true }, reading);
}
