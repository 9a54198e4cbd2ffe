// What cannot wait and who speaks for whom, at the console: the glass broken with a passkey, reviewed by somebody else, a voice
// lent and used, a workflow stopped; each page that this shows looked through, in light and dark, wide and narrow.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, checked, freshWorkspace, launch, is, ok, program, require, stands, visitor } from './common.mjs';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const { folder, workspace, env, sluice } = freshWorkspace('deciding');
const edit = (file, change) => writeFileSync(join(workspace, file), change(readFileSync(join(workspace, file), 'utf8')));

const others = ['ben: { name: "Ben Okafor" }', 'cleo: { name: "Cleo Marin" }', 'dora: { name: "Dora Weiss" }', 'eve: { name: "Eve Lindt" }'];
edit('registers/principals.yaml', (text) =>
  text
    .replace('\npersons:\n', `\npersons:\n${others.map((one) => `  ${one}\n`).join('')}`)
    .replace('members: [ana]', 'members: [ana, cleo]')
    .replace('\ngroups:\n', '\ngroups:\n  oncall: { members: [eve] }\n'));
edit('workspace.yaml', (text) => `${text}break_glass: oncall\n`);
sluice('policy', 'sign', '--as', 'ana', '--key', join(folder, 'home/keys/ana.key'));
const held = () => JSON.parse(sluice('run', 'workflows/hello.yaml', '--as', 'ben', '--format', 'json')).held[0].approval;
const [first, second] = [held(), held()];

const child = spawn(program, ['serve', '--listen', '127.0.0.1:0', '--invite', 'ana'], { cwd: workspace, env, stdio: ['ignore', 'pipe', 'inherit'] });
process.on('exit', () => child.kill());
let said = '';
for await (const chunk of child.stdout) {
  said += chunk;
  if (/enrol\/\w+\s/.test(said)) break;
}
const origin = /console at (\S+)/.exec(said)[1];
const browser = await launch();

/** Somebody new, by a link. */
async function comeIn(link, options = {}) {
  const { page } = await visitor(browser, options);
  await page.goto(link);
  await Promise.all([page.waitForURL(`${origin}/`), page.click('form[data-passkey=create] button')]);
  return page;
}

async function look(page, name) {
  for (const [colorScheme, width] of [['light', 1280], ['dark', 390]]) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(axe);
    const found = await page.evaluate(async () => {
      const result = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
      return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
    });
    assert.deepEqual(found, [], `${name} in ${colorScheme} at ${width}`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    ok(over <= 0, `${name} runs over the edge by ${over} in ${colorScheme} at ${width}`);
    await page.screenshot({ path: join(at, `deciding-${name}-${colorScheme}-${width}.png`), fullPage: true });
  }
}

const send = (page, words) => Promise.all([page.waitForNavigation(), page.click(`text=${words}`)]);

try {
  const ana = await comeIn(/http\S+enrol\/\w+/.exec(said)[0]);
  const invited = async (name) => {
    await ana.goto(`${origin}/people`);
    await Promise.all([ana.waitForNavigation(), ana.click(`tr:has-text("${name}") button:has-text("Invite")`)]);
    return comeIn((await ana.textContent('.note pre')).trim());
  };
  const [eve, cleo, dora] = [await invited('Eve Lindt'), await invited('Cleo Marin'), await invited('Dora Weiss')];

  await eve.goto(`${origin}/approvals/${first}`);
  await eve.click('text=It cannot wait');
  await look(eve, 'glass');
  await eve.fill('#glass-reason', 'The report is due at six, and both owners are in the air.');
  await send(eve, 'Break the glass with your passkey');
  is(await stands(eve), 'broken', 'it passes at once, and nobody takes it for an approval');
  ok((await eve.textContent('.word')).includes('neither asked for it nor broke'), 'who broke it closes no review');
  await look(eve, 'broken');
  await eve.goto(`${origin}/approvals/${second}`);
  await eve.click('text=It cannot wait');
  ok((await eve.textContent('.word')).includes('nobody has reviewed that yet'), 'the next waits for the review');

  await cleo.goto(`${origin}/`);
  await look(cleo, 'review');
  await cleo.fill('#finding', 'It was due, and it was a greeting.');
  await send(cleo, 'Close the review with your passkey');
  ok(!(await cleo.textContent('main')).includes('To be reviewed'), 'somebody else closes it');

  await cleo.goto(`${origin}/people`);
  await cleo.click('text=Let somebody speak in your place');
  await look(cleo, 'delegate');
  await cleo.selectOption('#delegate-to', 'dora');
  await cleo.fill('#delegate-until', new Date(Date.now() + 5 * 864e5).toISOString().slice(0, 10));
  await send(cleo, 'Go on to sign it');
  await look(cleo, 'sign');
  await send(cleo, 'Delegate with your passkey');
  ok((await cleo.textContent('main')).includes('Dora Weiss'), 'a voice is lent');
  await look(cleo, 'lent');

  await dora.goto(`${origin}/approvals/${second}`);
  ok((await dora.textContent('.word')).includes('in the place of Cleo Marin'), 'in whose place is told');
  await send(dora, 'Approve with your passkey');
  ok((await dora.textContent('dl.facts')).includes('for Cleo Marin'), 'the word is recorded as hers for the other');
  await look(dora, 'said');

  await ana.goto(`${origin}/workflows`);
  await send(ana, 'workflows/hello.yaml');
  await ana.click('summary:has-text("Stop: workflow")');
  await ana.fill('#why-workflow', 'it greets too much');
  await Promise.all([ana.waitForNavigation(), ana.click('details[open] button')]);
  ok((await ana.textContent('main')).includes('No run begins'), 'a workflow is stopped');
  await look(ana, 'stopped');
  ok(JSON.parse(sluice('audit', 'verify', '--format', 'json')).agrees, 'the ledger agrees');
  console.log(`what cannot wait, in a browser: ${checked()} checks`);
} finally {
  await browser.close();
  child.kill('SIGINT');
  rmSync(folder, { recursive: true, force: true });
}
