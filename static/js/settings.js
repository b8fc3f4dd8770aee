/* The room's settings: what somebody opened stays open when it is drawn anew, and what was refused is put back. */
(() => {
  const { partyline } = window;
  const isSettings = (action) => /\/(settings|mode)$/.test(new URL(action, location.href).pathname);
  const pending = new Set();

  // The server does not know which dialogs and trays this person has open, so a morph must not decide it.
  addEventListener('DOMContentLoaded', () => window.htmx?.config.morphIgnore.push('open'));

  /** A control that was used keeps its own mind; reset makes it say what the room says. */
  function settle() {
    for (const form of document.querySelectorAll('#settings form[hx-post]')) {
      if (!pending.has(form.action) && !form.contains(document.activeElement)) form.reset();
    }
  }

  document.addEventListener('htmx:config:request', ({ defaultPrevented, detail: { ctx } }) => {
    const { form, action } = ctx.request;
    if (!defaultPrevented && form?.closest('#settings') && isSettings(action)) pending.add(form.action);
  });
  partyline.on('command', (ctx, result) => {
    const { form, action } = ctx.request;
    if (!form || !isSettings(action)) return;
    pending.delete(form.action);
    if (result !== 'done' && form.isConnected) form.reset();
  });
  partyline.on('after', settle);
})();
