/*
 * What every command to the room carries: the number its author saw, a key that makes repeating it harmless,
 * one more try when the line breaks, and a sentence when nothing helped. Nothing pressed while offline is kept.
 */
(() => {
  const { partyline } = window;
  if (!partyline.link) return;
  const AGAIN_MS = 1000, TOO_LATE_MS = 4000, TIMEOUT_MS = 10000;
  const UNREACHED = [502, 503, 504];
  // These act on the order or the moment their author saw, so they wait for a screen that is up to date.
  const ORDERED = /\/(move|playback|mode)$/;

  const commands = new WeakSet();
  const isCommand = (ctx) => commands.has(ctx);
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  /** A random key; crypto.randomUUID is missing on plain http, which is how a party at home is served. */
  function newKey() {
    return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  }

  async function fetchAgain(url, request) {
    const began = performance.now();
    try {
      const response = await fetch(url, request);
      if (!UNREACHED.includes(response.status) || performance.now() - began > TOO_LATE_MS) return response;
    } catch (error) {
      if (request.signal.aborted || performance.now() - began > TOO_LATE_MS) throw error;
    }
    await wait(AGAIN_MS);
    return fetch(url, request);
  }

  document.addEventListener('htmx:config:request', (event) => {
    const { ctx } = event.detail, { request } = ctx;
    const path = new URL(request.action, location.href).pathname;
    if (!path.startsWith(partyline.base)) return;
    const { epoch, after } = partyline.position();
    Object.assign(request.headers, { 'X-Partyline-Epoch': epoch, 'X-Partyline-After': String(after) });
    if (request.method === 'GET') return;
    const refusal = refuse(path);
    if (refusal) { event.preventDefault(); partyline.toast(refusal); return; }
    request.headers['Idempotency-Key'] = newKey();
    // Who leads, as this screen shows it: a press meant for an earlier time has no effect.
    request.headers['X-Partyline-Fence'] = document.getElementById('status')?.dataset.fence ?? '';
    request.timeout ??= TIMEOUT_MS;
    ctx.fetch = fetchAgain;
    // The pressed element may be gone when the answer comes; its notice must not go with it.
    ctx.target = partyline.link;
    commands.add(ctx);
  });

  function refuse(path) {
    if (!navigator.onLine) return 'You’re offline. Press it again when you’re back.';
    if (ORDERED.test(path) && !partyline.isFresh()) return 'One moment, catching up with the room. Then press it again.';
    return '';
  }

  const outcome = (ctx) => (ctx.response?.status < 400 ? 'done' : ctx.response?.status < 500 ? 'refused' : 'lost');
  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    if (!isCommand(ctx)) return;
    const result = outcome(ctx);
    partyline.emit('command', ctx, result);
    if (result === 'lost' && !/id="notice"/.test(ctx.text ?? '')) tellLost(ctx.request);
  });

  function tellLost({ action, form, submitter }) {
    const words = /\/vote$/.test(action) ? 'Your vote didn’t get through.' : 'That didn’t get through.';
    const again = () => { if (form.isConnected) form.requestSubmit(submitter?.isConnected ? submitter : undefined); };
    partyline.toast(words, { isBad: true, action: form ? 'Try again' : '', onAction: again });
  }
})();
