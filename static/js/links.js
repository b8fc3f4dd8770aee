/* A link in the search field, pasted or typed, goes onto the line; the server says what it is, and looks it up later. */
(() => {
  const { partyline } = window;
  const form = document.getElementById('add-link'), add = document.getElementById('add'), words = document.getElementById('add-words'), field = document.getElementById('search');
  const embeds = document.getElementById('embeds');
  if (!partyline?.link || !form || !field) return;
  const FORMS = [/^https?:\/\/\S+$/i, /^(?:[a-z0-9-]+\.)+[a-z]{2,}\/\S+$/i, /^(?:youtube|vimeo|spotify|archive|jamendo):\S+$/i, /^[a-z][a-z0-9]*:(?:movie|tv):\S+$/i];
  const isLink = (text) => FORMS.some((known) => known.test(text.trim()));
  const isOurs = (action) => new URL(action, location.href).pathname.endsWith('/links');

  // Who types a link has a button for it; one that is pasted goes by itself.
  const go = add.querySelector('[data-put-link]');
  function offer() {
    if (!go) return;
    const isLeft = document.activeElement === go;
    go.hidden = !isLink(field.value);
    if (isLeft && go.hidden) field.focus();
  }
  field.addEventListener('input', offer);

  function put(text) {
    form.elements.link.value = text.trim();
    form.requestSubmit();
  }

  field.addEventListener('paste', (event) => {
    const text = event.clipboardData?.getData('text') ?? '';
    const isWhole = field.selectionStart === 0 && field.selectionEnd === field.value.length;
    if (!isWhole || !isLink(text)) return;
    event.preventDefault();
    field.value = text.trim();
    put(text);
  });

  // Before htmx, which listens on the form itself and would look for the link's letters in the library.
  document.addEventListener('submit', (event) => {
    if (event.target !== words || !isLink(field.value)) return;
    event.preventDefault();
    event.stopPropagation();
    put(field.value);
  }, true);
  document.addEventListener('htmx:config:request', (event) => {
    if (event.detail.ctx.sourceElement === words && isLink(field.value)) event.preventDefault();
  });

  partyline.on('command', (ctx, result) => {
    if (!isOurs(ctx.request.action) || result !== 'done' || ctx.request.submitter?.name === 'found') return;
    if (field.value.trim() === form.elements.link.value) field.value = '';
    if (embeds && ctx.request.form === embeds.querySelector('form')) {
      ctx.request.form.reset();
      embeds.open = false;
    }
    offer();
    add.classList.remove('is-open');
    // On a phone the line lies behind another tab.
    const tell = document.getElementById('tabs')?.offsetParent ? partyline.toast : partyline.say;
    tell?.('Your link is in. Looking it up.');
  });

  // Only pages served by https, or from this machine, may read the clipboard.
  for (const button of document.querySelectorAll('[data-paste]')) {
    button.hidden = !navigator.clipboard?.readText;
    button.addEventListener('click', async () => {
      const text = await navigator.clipboard.readText().catch(() => '');
      field.focus();
      if (isLink(text)) put(text);
      else if (text) partyline.toast?.('There is no link in the clipboard.');
    });
  }
})();
