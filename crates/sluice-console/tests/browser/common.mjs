// A browser, and devices in software that make passkeys.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

export const [program, at] = process.argv.slice(2);
export const require = createRequire(join(at, 'x.js'));
const { chromium } = require('playwright-core');

const browserAt = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
assert(browserAt, 'this test needs chromium');

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
