// The one script of the console: asks a device for a passkey's answer, and shows when a page has news.
'use strict';

const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
const toText = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

function tell(words) {
  for (const place of document.querySelectorAll('.told')) place.textContent = words;
}

async function answered(form) {
  const { challenge, domain, passkeys } = form.dataset;
  const answer = await navigator.credentials.get({
    publicKey: {
      challenge: toBytes(challenge),
      rpId: domain,
      userVerification: 'required',
      allowCredentials: passkeys ? passkeys.split(',').map((id) => ({ type: 'public-key', id: toBytes(id) })) : [],
    },
  });
  return {
    passkey: toText(answer.rawId),
    client: toText(answer.response.clientDataJSON),
    authenticator: toText(answer.response.authenticatorData),
    signature: toText(answer.response.signature),
  };
}

async function made(form) {
  const { challenge, domain, handle, person, name } = form.dataset;
  const answer = await navigator.credentials.create({
    publicKey: {
      challenge: toBytes(challenge),
      rp: { id: domain, name: 'Sluice' },
      user: { id: toBytes(handle), name: person, displayName: name },
      pubKeyCredParams: [{ type: 'public-key', alg: -7 }, { type: 'public-key', alg: -8 }],
      authenticatorSelection: { residentKey: 'required', userVerification: 'required' },
      attestation: 'none',
    },
  });
  return { client: toText(answer.response.clientDataJSON), attestation: toText(answer.response.attestationObject) };
}

// While a device is asked, the form that asked stays where it is: one that was taken from the page cannot be sent.
let isAsking = false;

// On the document: a page that was made anew has other forms than the one that was opened.
document.addEventListener('submit', async (event) => {
  const form = event.target.closest('form[data-passkey]');
  // A button of its own says with what else it is signed.
  if (!form || (event.submitter && event.submitter.name === 'with')) return;
  event.preventDefault();
  if (!window.PublicKeyCredential) {
    tell('This browser knows no passkeys, or the page was not reached over https.');
    return;
  }
  const buttons = form.querySelectorAll('button');
  for (const button of buttons) button.disabled = true;
  tell('');
  isAsking = true;
  try {
    const fields = form.dataset.passkey === 'create' ? await made(form) : await answered(form);
    for (const [name, value] of Object.entries(fields)) form.elements.namedItem(name).value = value;
    form.submit();
  } catch (error) {
    tell(error.name === 'NotAllowedError' ? 'Your device did not answer. Nothing was signed.' : `Nothing was signed: ${error.message}`);
    for (const button of buttons) button.disabled = false;
    isAsking = false;
  }
});

// Nothing moves under somebody's hands, and nothing that they wrote is lost.
function isInUse(main) {
  const isWritten = [...main.querySelectorAll('textarea, input:not([type=hidden])')].some((field) => field.value !== field.defaultValue);
  return isAsking || isWritten || (main.contains(document.activeElement) && document.activeElement !== main);
}

const main = document.querySelector('main[data-live]');
if (main) {
  let known = null;
  const news = new EventSource('/changes');
  news.addEventListener('message', async (event) => {
    const before = known;
    known = event.data;
    if (before === null || before === known) return;
    if (isInUse(main)) return;
    const reply = await fetch(location.href, { headers: { accept: 'text/html' } });
    if (!reply.ok || reply.redirected) return;
    const page = new DOMParser().parseFromString(await reply.text(), 'text/html').querySelector('main');
    // Somebody may have begun while it was fetched.
    if (page && !isInUse(main)) main.replaceChildren(...page.childNodes);
  });
}
