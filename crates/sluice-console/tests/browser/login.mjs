// People log in at a real identity provider, make a passkey, and approve with it.
import assert from 'node:assert/strict';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { at, checked, enrol, launch, is, ok, program, require, stands, until, visitor } from './common.mjs';

const { Provider } = await import(pathToFileURL(require.resolve('oidc-provider')).href);
const SECRET = 'what-the-console-shows-the-provider';

const folder = mkdtempSync(join(tmpdir(), 'sluice-login-'));
const home = { ...process.env, SLUICE_HOME: join(folder, 'home') };
const sluice = (...words) => execFileSync(program, words, { cwd: join(folder, 'ws'), env: home, encoding: 'utf8' });

// The provider must know where the console is, and the console where the provider is: one port is found first.
const probe = createServer().listen(0, '127.0.0.1');
await new Promise((done) => probe.once('listening', done));
const port = probe.address().port;
await new Promise((done) => probe.close(done));
const server = createServer();
server.listen(0, '127.0.0.1');
await new Promise((done) => server.once('listening', done));
const issuer = `http://localhost:${server.address().port}`;
const provider = new Provider(issuer, {
  clients: [{ client_id: 'sluice', client_secret: SECRET, redirect_uris: [`http://localhost:${port}/login/provider/back`], token_endpoint_auth_method: 'client_secret_basic' }],
  findAccount: (_, sub) => ({ accountId: sub, claims: async () => ({ sub }) }),
  pkce: { required: () => true },
  cookies: { keys: ['only for this test'] },
});
server.on('request', provider.callback());

execFileSync(program, ['init', join(folder, 'ws'), '--as', 'ana', '--name', 'login'], { env: home });
const register = join(folder, 'ws/registers/principals.yaml');
const text = readFileSync(register, 'utf8');
const named = text
  .replace(/(\n {2}ana:)\n/, `$1\n    identities: [{ issuer: "${issuer}", subject: "0oa1ana" }]\n`)
  .replace('\npersons:\n', '\npersons:\n  ben: { name: "Ben" }\n');
assert(named.includes('0oa1ana') && named.includes('Ben'), 'the register is as it was expected');
writeFileSync(register, named);
const held = JSON.parse(spawnSync(program, ['run', 'workflows/hello.yaml', '--as', 'ben', '--format', 'json'], { cwd: join(folder, 'ws'), env: home, encoding: 'utf8' }).stdout);
const secret = join(folder, 'secret');
writeFileSync(secret, `${SECRET}\n`);

const child = spawn(program, ['serve', '--listen', `127.0.0.1:${port}`, '--issuer', issuer, '--client-id', 'sluice', '--client-secret-file', secret], { cwd: join(folder, 'ws'), env: home, stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => child.kill());
await new Promise((done) => child.stdout.once('data', done));
const origin = `http://localhost:${port}`;
const browser = await launch();

/** Shows the provider once more who it is; it asks whether the console may know only if it has not asked before. */
async function again(page, name, back) {
  await page.fill('input[name=login]', name);
  await page.fill('input[name=password]', 'anything');
  await Promise.all([page.waitForNavigation(), page.click('button[type=submit]')]);
  if (page.url().includes('/interaction/')) await page.click('button[type=submit]');
  await page.waitForURL(back);
}

async function logIn(name) {
  const { page } = await visitor(browser);
  await page.goto(`${origin}/`);
  await page.click('text=Log in at');
  await page.fill('input[name=login]', name);
  await page.fill('input[name=password]', 'anything');
  await page.click('button[type=submit]');
  // The provider asks whether the console may know; then it sends them back.
  await page.click('button[type=submit]');
  await page.waitForURL(`${origin}/**`);
  return page;
}

try {
  const stranger = await logIn('eve');
  ok((await stranger.textContent('main')).includes('SL984'), 'whom the register does not list does not come in');
  const page = await logIn('0oa1ana');
  ok(page.url() === `${origin}/`, 'the provider logs in');
  ok((await page.textContent('.me')).includes('You'), 'as whom the register says');
  await page.goto(`${origin}/approvals/${held.held[0].approval}`);
  ok((await page.textContent('.word')).includes('no passkey'), 'a login alone signs nothing');
  await page.goto(`${origin}/people`);
  ok((await page.locator('form[data-passkey=create]').count()) === 0, 'a session alone makes no passkey');
  await page.click('text=Log in again, and make a passkey');
  await again(page, '0oa1ana', `${origin}/people`);
  await enrol({ page, origin }, 'the identity provider');
  ok((await page.locator('form[data-passkey=create]').count()) === 0, 'nor a second one');
  await Promise.all([page.waitForURL(`${origin}/people/confirm`), page.click('text=Make another passkey')]);
  ok((await page.locator('form[data-passkey=create]').count()) === 1, 'one who answers with a passkey makes another');
  await page.goto(`${origin}/approvals/${held.held[0].approval}`);
  await Promise.all([page.waitForNavigation(), page.click('text=Approve with your passkey')]);
  is(await stands(page), 'approved', 'it is approved');
  await page.goto(`${origin}/runs/${held.run}`);
  await until(page, 'the run completes', async () => (await stands(page)) === 'completed');
  ok(JSON.parse(sluice('audit', 'verify', '--format', 'json')).agrees, 'the ledger agrees');

  // An answer that belongs to another browser, or to nobody's question, opens nothing.
  const other = await visitor(browser);
  const begun = await other.page.request.get(`${origin}/login/provider`, { maxRedirects: 0 });
  const state = new URL(begun.headers().location).searchParams.get('state');
  const elsewhere = await visitor(browser);
  for (const back of [`code=x&state=${state}`, 'code=x&state=x', '']) {
    const answer = await elsewhere.page.goto(`${origin}/login/provider/back?${back}`);
    ok(answer.status() === 403 && (await elsewhere.page.textContent('main')).includes('SL465'), `it opens nothing: ${back}`);
  }
  console.log(`logging in at an identity provider: ${checked()} checks`);
} finally {
  await browser.close();
  child.kill('SIGINT');
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true, force: true });
}
