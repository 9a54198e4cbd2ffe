// Letters that tell people what waits for them, at a relay of others: who is asked gets one, with the page's address and nothing of
// the matter; its address opens the page in a browser. A relay that is not whom it should be, or speaks in the clear, gets none.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checked, freshWorkspace, launch, ok, program, require, visitor } from './common.mjs';

const { SMTPServer } = require('smtp-server');
const { folder, workspace, env, sluice } = freshWorkspace('letters');
const openssl = (...words) => execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' });

const register = join(workspace, 'registers/principals.yaml');
writeFileSync(register, readFileSync(register, 'utf8')
  .replace('\npersons:\n', '\npersons:\n  ben: { name: "Ben Okafor", mail: ben@example.com }\n  cleo: { name: "Cleo Marin" }\n')
  .replace('members: [ana]', 'members: [ana, cleo]')
  .replace('name: "You"', 'name: "Ana"\n    mail: ana.kovac@example.com'));
assert(readFileSync(register, 'utf8').includes('ana.kovac@'), 'the register of a new workspace is written otherwise');
const held = () => JSON.parse(sluice('run', 'workflows/hello.yaml', '--as', 'ben', '--format', 'json')).held[0].approval;

// A root, and a relay's certificate for 127.0.0.1 that leads to it.
openssl('req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'root.key', '-out', 'root.pem', '-days', '2', '-subj', '/CN=a root of our own');
openssl('req', '-newkey', 'rsa:2048', '-nodes', '-keyout', 'relay.key', '-out', 'relay.csr', '-subj', '/CN=relay');
writeFileSync(join(folder, 'names'), 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n');
openssl('x509', '-req', '-in', 'relay.csr', '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-out', 'relay.pem', '-days', '2', '-extfile', 'names');
const tls = { key: readFileSync(join(folder, 'relay.key')), cert: readFileSync(join(folder, 'relay.pem')) };
writeFileSync(join(folder, 'password'), 'what-the-relay-asks-for\n');

/** A relay that keeps what it takes. */
async function relay(options) {
  const letters = [];
  let wake = () => {};
  const server = new SMTPServer({
    authOptional: true,
    ...options,
    onAuth: ({ username, password }, session, done) => {
      const is = username === 'sluice' && password === 'what-the-relay-asks-for' && session.secure;
      return is ? done(null, { user: username }) : done(new Error('not known here'));
    },
    onRcptTo: ({ address }, session, done) => done(address.startsWith('nobody') ? Object.assign(new Error('no such box'), { responseCode: 550 }) : null),
    onData: (stream, session, done) => {
      let text = '';
      stream.on('data', (chunk) => (text += chunk));
      stream.on('end', () => {
        letters.push({ to: session.envelope.rcptTo.map(({ address }) => address), from: session.envelope.mailFrom.address, user: session.user, secure: session.secure, text });
        done();
        wake();
      });
    },
  });
  server.on('error', () => {});
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const next = async () => {
    const until = Date.now() + 30_000;
    while (letters.length === 0 && Date.now() < until) await Promise.race([new Promise((woken) => (wake = woken)), new Promise((late) => setTimeout(late, 500))]);
    assert(letters.length, 'no letter came');
    return letters.shift();
  };
  return { port: server.server.address().port, letters, next, close: () => server.close() };
}

const children = [];
process.on('exit', () => children.forEach((child) => child.kill()));
async function serve(...words) {
  const child = spawn(program, ['serve', '--listen', '127.0.0.1:0', '--invite', 'ana', '--mail-from', 'sluice@example.com', ...words], { cwd: workspace, env });
  children.push(child);
  let [said, errors] = ['', ''];
  child.stderr.on('data', (chunk) => (errors += chunk));
  await new Promise((ready, failed) => {
    child.stdout.on('data', (chunk) => (said += chunk, /enrol\/\w+\s/.test(said) && ready()));
    child.on('exit', () => failed(new Error(errors)));
  });
  // What was asked before it looks for the first time is not told.
  await new Promise((later) => setTimeout(later, 2_500));
  const told = async (words) => {
    for (let n = 0; n < 80 && !errors.includes(words); n += 1) await new Promise((later) => setTimeout(later, 250));
    ok(errors.includes(words), `"${words}" is told, not: ${errors}`);
  };
  return { link: /http\S+enrol\/\w+/.exec(said)[0], origin: /console at (\S+)/.exec(said)[1], told, stop: () => child.kill() };
}

const browser = await launch();
try {
  // In the clear, on this machine.
  const near = await relay({ disabledCommands: ['STARTTLS', 'AUTH'] });
  let serving = await serve('--mail', `smtp+plain://127.0.0.1:${near.port}`);
  const approval = held();
  const letter = await near.next();
  assert.deepEqual([letter.to, letter.from], [['ana.kovac@example.com'], 'sluice@example.com']);
  ok(letter.text.includes(`Subject: Sluice: ${approval} waits for you`) && letter.text.includes('Auto-Submitted: auto-generated'), letter.text);
  ok(letter.text.includes('ben asks for something') && !letter.text.includes('Hello') && !letter.text.includes('greetings'), letter.text);
  await serving.told('cleo was not told of');
  const { page } = await visitor(browser);
  await page.goto(serving.link);
  await Promise.all([page.waitForURL(`${serving.origin}/`), page.click('form[data-passkey=create] button')]);
  await page.goto(/http\S+\/approvals\/\S+/.exec(letter.text)[0]);
  ok((await page.textContent('main')).includes('Approve with your passkey'), 'the page of the letter is where it is decided');
  ok(near.letters.length === 0, 'one letter each, and none to whoever has no address');
  serving.stop();
  near.close();

  // By STARTTLS, with a name; the certificate leads to a root of the company's own.
  const far = await relay({ ...tls });
  const known = ['--mail-user', 'sluice', '--mail-password-file', join(folder, 'password')];
  serving = await serve('--mail', `smtp://localhost:${far.port}`, '--mail-root', join(folder, 'root.pem'), ...known);
  held();
  const sealed = await far.next();
  ok(sealed.secure && sealed.user === 'sluice' && sealed.to[0] === 'ana.kovac@example.com', 'over TLS, by name');
  serving.stop();

  // The same relay without that root is anybody.
  serving = await serve('--mail', `smtp://localhost:${far.port}`, ...known);
  held();
  await serving.told('it is tried again');
  ok(far.letters.length === 0, 'whoever cannot show who it is gets no letter');
  serving.stop();
  far.close();

  // Without STARTTLS nothing is said.
  const open = await relay({ disabledCommands: ['STARTTLS', 'AUTH'] });
  serving = await serve('--mail', `smtp://localhost:${open.port}`, '--mail-root', join(folder, 'root.pem'));
  held();
  await serving.told('it is tried again');
  ok(open.letters.length === 0, 'what would go in the clear does not go');
  serving.stop();
  open.close();

  // TLS from the first byte; an address that the relay refuses for good is not tried again and again.
  writeFileSync(register, readFileSync(register, 'utf8').replace('ana.kovac@example.com', 'nobody@example.com'));
  const direct = await relay({ ...tls, secure: true });
  serving = await serve('--mail', `smtps://localhost:${direct.port}`, '--mail-root', join(folder, 'root.pem'));
  held();
  await serving.told('the relay refuses it');
  ok(direct.letters.length === 0, 'nobody has no box');
  serving.stop();
  direct.close();
  console.log(`letters at a relay: ${checked()} checks`);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
process.exit(0);
