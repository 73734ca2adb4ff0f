// Passkeys: fetch what to ask the device, ask it, and send its answer with the form.
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// The conditional request of a sign-in page gives way to the button.
let waiting = null;

// Binary members travel as base64url (WebAuthn §5.1.8); not every browser reads that by itself yet.
function readable(options) {
  const ids = (list) => (list ?? []).map((each) => ({ ...each, id: bytes(each.id) }));
  return {
    ...options,
    challenge: bytes(options.challenge),
    ...(options.user && { user: { ...options.user, id: bytes(options.user.id) } }),
    ...(options.allowCredentials && { allowCredentials: ids(options.allowCredentials) }),
    ...(options.excludeCredentials && { excludeCredentials: ids(options.excludeCredentials) }),
  };
}

function sendable(credential) {
  const members = ["attestationObject", "authenticatorData", "clientDataJSON", "signature", "userHandle"];
  const told = members.filter((name) => credential.response[name]);
  return JSON.stringify({
    id: credential.id,
    rawId: text(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(told.map((name) => [name, text(credential.response[name])])),
  });
}

async function options(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.options, { method: "POST", body });
  if (!answer.ok || answer.redirected) throw new Error("no options");
  return readable(await answer.json());
}

async function ask(form, more = {}) {
  const publicKey = await options(form);
  const credential = await navigator.credentials[form.dataset.passkey]({ publicKey, ...more });
  form.elements.credential.value = sendable(credential);
  form.submit();
}

// Beside the saved passwords of the name field, until another way is chosen.
async function offer(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  waiting = new AbortController();
  await ask(form, { mediation: "conditional", signal: waiting.signal });
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!window.PublicKeyCredential) break;
  const button = form.querySelector("button");
  const failed = form.querySelector("[role=alert]");
  for (const notice of document.querySelectorAll("[data-without-passkeys]")) notice.hidden = true;
  button.hidden = false;
  button.addEventListener("click", async () => {
    waiting?.abort();
    failed.hidden = true;
    button.disabled = true;
    try {
      await ask(form);
    } catch {
      failed.hidden = false;
      button.disabled = false;
      button.focus();
    }
  });
  if ("conditional" in form.dataset) offer(form).catch(() => {});
}
