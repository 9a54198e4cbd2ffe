// A browser, and devices in software that make passkeys.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const [program, at] = process.argv.slice(2);
export const require = createRequire(join(at, 'x.js'));
const { chromium } = require('playwright-core');

const browserAt = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
assert(browserAt, 'this test needs chromium');

/** A workspace of Ana's in a folder of its own, and the program in it; a run that is held ends with a status of its own. */
export function freshWorkspace(name) {
  const folder = mkdtempSync(join(tmpdir(), `sluice-${name}-`));
  const workspace = join(folder, 'ws');
  mkdirSync(workspace);
  const env = { ...process.env, SLUICE_HOME: join(folder, 'home'), COLUMNS: '200' };
  const sluice = (...words) => {
    try {
      return execFileSync(program, words, { cwd: workspace, env }).toString();
    } catch (held) {
      return held.stdout.toString();
    }
  };
  sluice('init', '.', '--as', 'ana', '--name', 'notes');
  return { folder, workspace, env, sluice };
}

export const launch = () =>
  chromium.launch({
    executablePath: browserAt,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });

/** A page whose person has a device that verifies them; a fault of the page's own fails the test. */
export async function visitor(browser, options = {}) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.on('console', (message) => {
    // A refusal is a status of its own, and the provider's pages are not ours; anything else is a fault of the page.
    const isOurs = !page.url().includes('/interaction/');
    if (isOurs && message.type() === 'error' && !/status of 40[34]/.test(message.text())) faults.push(`${page.url()}: ${message.text()}`);
  });
  const device = await context.newCDPSession(page);
  await device.send('WebAuthn.enable');
  const { authenticatorId } = await device.send('WebAuthn.addVirtualAuthenticator', {
    options: { protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true },
  });
  return { page, device, authenticatorId };
}

/** Makes a passkey on the page of people. */
export async function enrol({ page, origin }, known) {
  await page.goto(`${origin}/people`);
  await Promise.all([page.waitForResponse((r) => r.url().endsWith('/people') && r.request().method() === 'GET'), page.click('form[data-passkey=create] button')]);
  await page.waitForSelector(`text=${known}`);
}

export async function until(page, words, look) {
  for (let n = 0; n < 60; n += 1) {
    if (await look()) return;
    await page.waitForTimeout(250);
    await page.reload();
  }
  assert.fail(`never: ${words}`);
}

/** How what the page is about stands. */
export const stands = async (page) => (await page.textContent('h1')).trim().split(/\s+/).pop();

const faults = [];
let checks = 0;
export const ok = (condition, words) => {
  assert(condition, words);
  checks += 1;
};
export const is = (shown, expected, words) => {
  assert.equal(shown, expected, `${words}: the page says "${shown}"`);
  checks += 1;
};
/** How much was checked, once no page had a fault. */
export function checked() {
  assert.deepEqual(faults, [], 'faults of pages');
  return checks;
}
