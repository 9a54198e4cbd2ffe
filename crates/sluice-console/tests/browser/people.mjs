// People at the console: what they see, what they sign, and that it goes on as they say.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { at, checked, enrol as make, launch, is, ok, program, require, stands, until, visitor } from './common.mjs';

const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

/** The demo's two consoles: its links by title and person. */
async function demo() {
  const child = spawn(program, ['demo', '--console'], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, COLUMNS: '400' } });
  let text = '';
  for await (const chunk of child.stdout) {
    text += chunk;
    if ((text.match(/http:/g) ?? []).length === 8 && text.endsWith('\n')) break;
  }
  const links = {};
  let title = '';
  const lines = text.split('\n');
  lines.forEach((line, number) => {
    if (line.startsWith('The ')) title = line.trim();
    const link = /http:\S+/.exec(line);
    if (link) links[`${title}: ${lines[number - 1].trim().split('  ')[0].replace(/ (owns|asked|signs|manages).*/, '')}`] = link[0];
  });
  return { child, links };
}

const browser = await launch();
const { child, links } = await demo();
process.on('exit', () => child.kill());

/** Somebody at the console, by a link that lets them in. */
async function comeIn(link, options = {}) {
  const who = await visitor(browser, options);
  await who.page.goto(link);
  await Promise.all([who.page.waitForURL(`${new URL(link).origin}/`), who.page.click('button')]);
  return { ...who, origin: new URL(link).origin };
}

const enrol = (who) => make(who, 'the demo');

try {
  // Inès approves the reduced report with a passkey, and its run reaches its end.
  const ines = await comeIn(links['The report: Inès Moreau']);
  await enrol(ines);
  await ines.page.goto(`${ines.origin}/`);
  await ines.page.click('article.waiting:has-text("monthly-report-reduced") a');
  is(await stands(ines.page), 'waits', 'it waits');
  ok((await ines.page.textContent('main')).includes('acts on'), 'where it goes is told');
  const path = new URL(ines.page.url()).pathname;
  await Promise.all([ines.page.waitForURL(`**${path}`), ines.page.waitForNavigation(), ines.page.click('text=Approve with your passkey')]);
  is(await stands(ines.page), 'approved', 'it is approved');
  await ines.page.click('dl.facts a[href^="/runs/"]');
  await until(ines.page, 'the run completes', async () => (await stands(ines.page)) === 'completed');
  ok(true, 'the run completed');

  // Without the device's word that it was her, nothing is signed.
  await ines.page.goto(`${ines.origin}/`);
  await ines.page.click('article.waiting:has-text("monthly-report") a');
  await ines.device.send('WebAuthn.setUserVerified', { authenticatorId: ines.authenticatorId, isUserVerified: false });
  await ines.page.click('text=Approve with your passkey');
  await ines.page.waitForFunction(() => document.querySelector('.word .told').textContent !== '');
  ok((await ines.page.textContent('.word .told')).includes('Nothing was signed'), 'nothing was signed');
  await ines.device.send('WebAuthn.setUserVerified', { authenticatorId: ines.authenticatorId, isUserVerified: true });

  // She logs out, and comes in again with the passkey alone.
  await ines.page.goto(`${ines.origin}/`);
  await ines.page.click('text=Log out');
  await ines.page.waitForURL('**/login');
  await Promise.all([ines.page.waitForURL(`${ines.origin}/`), ines.page.click('text=Log in with a passkey')]);
  ok((await ines.page.textContent('header')).includes('Inès Moreau'), 'a passkey logs in');

  // Tomáš reads the data that he owns a part of only if he owns all of it; then he denies, and says why.
  const tomas = await comeIn(links['The report: Tomáš Hrubý']);
  await enrol(tomas);
  await tomas.page.goto(`${tomas.origin}/`);
  await tomas.page.click('article.waiting a');
  const shown = await tomas.page.textContent('main');
  ok(!shown.includes('dialysis') && shown.includes('•••') && shown.includes('Masked'), 'what others own is masked');
  await tomas.page.fill('#deny-reason', 'health notes are no column of a spreadsheet');
  await Promise.all([tomas.page.waitForNavigation(), tomas.page.click('text=Deny with your passkey')]);
  is(await stands(tomas.page), 'denied', 'it is denied');
  await tomas.page.click('dl.facts a[href^="/runs/"]');
  await until(tomas.page, 'the run is refused', async () => (await stands(tomas.page)) === 'refused');
  ok((await tomas.page.textContent('.timeline')).includes('denied by'), 'the run says who denied it');

  // Lena asked for it: she sees it, and decides nothing. What does not concern her is not there.
  const lena = await comeIn(links['The report: Lena Fischer']);
  await lena.page.goto(`${lena.origin}${path}`);
  ok(!(await lena.page.$('form[data-passkey]')), 'a requester has nothing to sign with');
  await lena.page.goto(`${lena.origin}/ledger`);
  ok((await lena.page.textContent('main')).includes('SL467'), 'the whole ledger is not hers');

  // Marc decides by keyboard alone.
  const marc = await comeIn(links['The ticket: Marc Dubois']);
  await enrol(marc);
  await marc.page.goto(`${marc.origin}/`);
  const press = async (words, most = 60) => {
    for (let n = 0; n < most; n += 1) {
      await marc.page.keyboard.press('Tab');
      const at = await marc.page.evaluate(() => document.activeElement.textContent.trim());
      if (at === words) return;
    }
    assert.fail(`the keyboard does not reach "${words}"`);
  };
  await press('directory.members.add');
  await marc.page.keyboard.press('Enter');
  await marc.page.waitForURL('**/approvals/**');
  ok((await marc.page.textContent('main')).includes('priya.nair'), 'who would be added is told');
  await press('Approve with your passkey');
  await Promise.all([marc.page.waitForNavigation(), marc.page.keyboard.press('Enter')]);
  is(await stands(marc.page), 'approved', 'the keyboard approves');

  // Sofia signs the rules: she finds his word in the ledger, with its proof, and invites somebody.
  const sofia = await comeIn(links['The ticket: Sofia Lindqvist']);
  await sofia.page.goto(`${sofia.origin}/ledger`);
  await sofia.page.selectOption('#kind', 'approved');
  await Promise.all([sofia.page.waitForNavigation(), sofia.page.click('text=Search')]);
  ok((await sofia.page.textContent('.timeline')).includes('marc.dubois as manager-of:requester'), 'his word is found');
  await sofia.page.click('.timeline a.number');
  await until(sofia.page, 'a checkpoint covers it', async () => (await sofia.page.textContent('main')).includes('c2sp.org/tlog-proof'));
  ok(true, 'an entry has its proof');
  await sofia.page.goto(`${sofia.origin}/people`);
  await Promise.all([sofia.page.waitForNavigation(), sofia.page.click('tr:has-text("Dana Okafor") button')]);
  const link = (await sofia.page.textContent('.note pre')).trim();
  const dana = await comeIn(link);
  ok((await dana.page.textContent('header')).includes('Dana Okafor'), 'an invitation makes a passkey, and whose it is comes in');
  await dana.page.goto(link);
  ok((await dana.page.textContent('main')).includes('SL465'), 'an invitation serves once');

  // A list is sorted by keyboard, says so to who does not see it, and its link says so to others.
  await sofia.page.goto(`${sofia.origin}/people`);
  await sofia.page.focus('th .sort >> nth=0');
  await Promise.all([sofia.page.waitForNavigation(), sofia.page.keyboard.press('Enter')]);
  ok((await sofia.page.getAttribute('th[aria-sort]', 'aria-sort')) === 'ascending', 'the head says how it is sorted');
  ok(sofia.page.url().endsWith('/people?sort=person'), 'the link has the order');

  // Every page in four forms: nothing that keeps anybody out, nothing that runs over the edge.
  const rooms = ['/', '/workflows', '/runs', '/ledger', '/ledger/3', '/policies', '/connectors', '/people', '/health', path, '/nowhere',
    '/?sort=-asked', '/runs?status=held&sort=-began', '/ledger?sort=index', '/connectors?state=broken&sort=name', '/people?sort=-decided',
    '/policies?find=nothing-of-this'];
  for (const [colorScheme, width] of [['light', 1280], ['dark', 1280], ['light', 390], ['dark', 390]]) {
    const eye = await comeIn(links['The report: Sofia Lindqvist'], { colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
    const workflow = await eye.page.goto(`${eye.origin}/workflows`).then(() => eye.page.getAttribute('td a', 'href'));
    const run = await eye.page.goto(`${eye.origin}/runs`).then(() => eye.page.getAttribute('td a', 'href'));
    // A question to the policies, as the form makes it: its link is a room like any other.
    await eye.page.goto(`${eye.origin}/policies`);
    const calls = await eye.page.$$eval('#does optgroup[label="calls"] option', (all) => all.map((one) => one.value));
    await eye.page.selectOption('#does', calls.find((call) => /append|add|send|write/.test(call)) ?? calls[0]);
    await eye.page.fill('#words', 'tickets');
    await Promise.all([eye.page.waitForNavigation(), eye.page.click('.what-if button')]);
    ok((await eye.page.textContent('.answer')).length > 20, 'a question is answered');
    const question = new URL(eye.page.url()).pathname + new URL(eye.page.url()).search;
    for (const room of [...rooms, workflow, run, question]) {
      await eye.page.goto(eye.origin + room);
      await eye.page.evaluate(axe);
      const found = await eye.page.evaluate(async () => {
        const result = await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] });
        return result.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
      });
      assert.deepEqual(found, [], `${room} in ${colorScheme} at ${width}`);
      const over = await eye.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      ok(over <= 0, `${room} runs over the edge by ${over} in ${colorScheme} at ${width}`);
      const name = room === '/' ? 'inbox' : room.slice(1).replace(/[^a-z]+/gi, '-').replace(/-$/, '');
      await eye.page.screenshot({ path: join(at, `${name}-${colorScheme}-${width}.png`), fullPage: true });
    }
    await eye.page.context().close();
  }
  console.log(`the console in a browser: ${checked()} checks, 0 violations of axe on every page in four forms`);
} finally {
  await browser.close();
  child.kill('SIGINT');
}
