/* Dialogs, menus, tabs, theme, copying, the search panel and the code field. Each works on HTML that works without it. */
(() => {
  const root = document.documentElement;
  const byId = (id) => document.getElementById(id);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const say = (text) => window.partyline?.say?.(text);

  /** Run `act` with the nearest element that matches, when it is clicked. */
  const onClick = (selector, act) => document.addEventListener('click', (event) => {
    const found = event.target.closest?.(selector);
    if (found && !event.defaultPrevented) act(found, event);
  });

  // Colours fade when the track changes, never while the page is being painted for the first time.
  requestAnimationFrame(() => requestAnimationFrame(() => root.classList.add('is-ready')));

  /* --- theme --- */

  const darkSystem = matchMedia('(prefers-color-scheme: dark)');
  document.addEventListener('submit', (event) => {
    const button = event.target.querySelector('[data-theme-toggle]');
    if (!button) return;
    event.preventDefault();
    const current = root.dataset.theme ?? (darkSystem.matches ? 'dark' : 'light');
    const theme = current === 'dark' ? 'light' : 'dark';
    root.dataset.theme = theme;
    button.value = current;
    fetch(event.target.action, { method: 'POST', body: new URLSearchParams({ theme }), redirect: 'manual' }).catch(() => {});
  });

  /* --- dialogs --- */

  for (const dialog of all('dialog[data-modal][open]')) { dialog.close(); dialog.showModal(); }
  onClick('[data-open]', (button) => { const dialog = byId(button.dataset.open); if (dialog && !dialog.open) dialog.showModal(); });
  onClick('dialog', (dialog, event) => {
    if (event.target !== dialog || 'modal' in dialog.dataset) return;
    const box = dialog.getBoundingClientRect();
    const isInside = event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
    if (!isInside) dialog.close();
  });

  /* --- tabs of a phone --- */

  function showTab(name) {
    document.body.dataset.tab = name;
    for (const tab of all('#tabs [data-tab]')) {
      if (tab.dataset.tab === name) tab.setAttribute('aria-current', 'page'); else tab.removeAttribute('aria-current');
    }
    history.replaceState(history.state, '', `?tab=${name}`);
  }
  onClick('a[data-tab]', (tab, event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    showTab(tab.dataset.tab);
  });

  /* --- menus and small panels --- */

  let opener = null;

  /** Put a floating box beside its button, inside the window. */
  function placeBeside(box, button) {
    const at = button.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = box;
    const isTooLow = at.bottom + height + 8 > innerHeight;
    Object.assign(box.style, {
      margin: '0', inset: 'auto', left: `${Math.max(8, Math.min(innerWidth - width - 8, at.right - width))}px`,
      top: `${isTooLow ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`,
    });
  }

  const menuOf = (button) => byId(button.dataset.menu);

  function openMenu(button) {
    const menu = menuOf(button);
    if (!menu) return;
    closeMenu(false);
    opener = button;
    button.setAttribute('aria-expanded', 'true');
    menu.hidden = false;
    placeBeside(menu, button);
    menu.querySelector('[role="menuitem"]')?.focus();
  }

  function closeMenu(isBack) {
    if (!opener) return;
    menuOf(opener).hidden = true;
    // A push may have replaced the button; its id stays.
    const button = byId(opener.id) ?? opener;
    button.setAttribute('aria-expanded', 'false');
    opener = null;
    if (isBack) button.focus();
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-menu]');
    if (button) { if (opener?.id === button.id) closeMenu(true); else openMenu(button); return; }
    const item = opener && event.target.closest('[role="menuitem"]');
    if (item) {
      const source = byId(opener.id) ?? opener;
      closeMenu(true);
      source.dispatchEvent(new CustomEvent('partyline:menu', { bubbles: true, detail: { item } }));
    } else if (opener && !event.target.closest('.menu')) closeMenu(false);
  });
  document.addEventListener('keydown', (event) => {
    const menu = event.target.closest?.('[role="menu"]');
    if (!menu || !opener) return;
    if (event.key === 'Escape' || event.key === 'Tab') { event.preventDefault(); closeMenu(true); }
    else step(event, all('[role="menuitem"]', menu), true);
  });
  // A morph writes the server's aria-expanded back, and may take the row away.
  document.addEventListener('htmx:after:swap', () => {
    if (!opener) return;
    const button = byId(opener.id);
    if (button) button.setAttribute('aria-expanded', 'true'); else closeMenu(false);
  });
  document.addEventListener('toggle', (event) => {
    const button = event.newState === 'open' && document.querySelector(`[popovertarget="${event.target.id}"]`);
    if (button) placeBeside(event.target, button);
  }, true);

  /** Up and down through a list of buttons; false when the key was not for us. */
  function step(event, items, isRound) {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const at = items.indexOf(document.activeElement);
    const to = { Home: 0, End: items.length - 1 }[event.key] ?? (move && at + move);
    if (to === undefined || !items.length) return false;
    event.preventDefault();
    const next = isRound ? items[(to + items.length) % items.length] : items[Math.min(to, items.length - 1)];
    next?.focus();
    return true;
  }

  /* --- the search panel --- */

  const add = byId('add'), search = byId('search');
  const results = () => all('#library-list :is(button, a)');
  const setPanel = (isOpen) => add?.classList.toggle('is-open', isOpen);

  function goSearch() {
    if (byId('tabs')?.offsetParent) showTab('add');
    search.focus();
    search.select();
    setPanel(true);
  }

  onClick('[data-focus="search"]', (link, event) => { if (search) { event.preventDefault(); goSearch(); } });
  onClick('[data-close-results]', () => { setPanel(false); search.focus(); });
  search?.addEventListener('input', () => setPanel(true));
  search?.addEventListener('click', () => setPanel(true));
  if (search?.value) setPanel(true);
  document.addEventListener('pointerdown', (event) => { if (!event.target.closest('#add, #dock')) setPanel(false); });
  add?.addEventListener('keydown', (event) => {
    const isField = event.target === search, items = results();
    if (event.key === 'Escape' && add.classList.contains('is-open')) {
      event.preventDefault();
      setPanel(false);
      search.focus();
    } else if (event.key === 'ArrowUp' && event.target === items[0]) { event.preventDefault(); search.focus(); }
    else if (isField && event.key === 'ArrowDown') { setPanel(true); step(event, items, false); }
    else if (items.includes(event.target)) step(event, items, false);
  });
  document.addEventListener('keydown', (event) => {
    const isTyping = event.target.closest?.('input, textarea, select, dialog, [role="menu"]');
    if (event.key !== '/' || !search || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    goSearch();
  });

  // What opens one's own library gives way to it, and to its focus.
  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement?.id === 'own' && [document.body, byId('own')].includes(document.activeElement)) byId('source-summary')?.focus();
  });

  let moreAt = -1;
  document.addEventListener('htmx:before:request', ({ detail: { ctx } }) => {
    if (ctx.sourceElement.id === 'more' && document.activeElement === ctx.sourceElement) moreAt = results().indexOf(ctx.sourceElement);
  });
  document.addEventListener('htmx:after:swap', () => {
    if (moreAt >= 0 && document.activeElement === document.body) results()[moreAt]?.focus();
    moreAt = -1;
  });
  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    const button = ctx.request.submitter;
    // In a room the line itself says what is in it (shelf.js).
    if (button?.name !== 'track_id' || !(ctx.response?.status < 400) || window.partyline?.link) return;
    button.classList.replace('btn--accent', 'btn--done');
    button.textContent = 'In line';
  });

  /* --- codes, names, copying --- */

  function groupCode(input, text = input.value, caret = input.selectionStart) {
    const clean = (part) => part.toUpperCase().replace(/[^A-Z0-9]/g, '').slice(0, 8);
    const code = clean(text), before = clean(text.slice(0, caret)).length;
    input.value = code.length > 4 ? `${code.slice(0, 4)} ${code.slice(4)}` : code;
    input.setSelectionRange(before + (before > 4), before + (before > 4));
  }
  for (const input of all('input[name="code"]:not([autocomplete="one-time-code"])')) {
    input.addEventListener('input', (event) => { if (!event.isComposing) groupCode(input); });
    input.addEventListener('paste', (event) => {
      const linked = /\/rooms\/([^/?#\s]+)/.exec(event.clipboardData.getData('text'))?.[1];
      if (linked) { event.preventDefault(); groupCode(input, linked, linked.length); }
    });
  }

  // One person, one name, however many forms ask for it.
  const names = all('input[name="display_name"]');
  const initials = (name) => {
    const [first, second] = name.trim().split(/\s+/).map((word) => [...word]);
    const letters = second ? first[0] + second[0] : first.slice(0, 2).join('');
    return letters.charAt(0).toUpperCase() + letters.slice(1);
  };
  const setName = (name) => {
    for (const field of names) {
      if (field.value !== name) field.value = name;
      const face = field.parentElement.querySelector('.face');
      if (face) face.textContent = initials(name);
    }
  };
  for (const field of names) field.addEventListener('input', () => setName(field.value));
  onClick('[data-new-name]', async (link, event) => {
    event.preventDefault();
    const page = new DOMParser().parseFromString(await (await fetch(link.href)).text(), 'text/html');
    const suggestion = page.querySelector('input[name="display_name"]')?.value;
    if (suggestion) setName(suggestion);
  });

  async function copy(text, button) {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    // Plain http, as in a house, has no clipboard; a selected field still has.
    const field = document.createElement('textarea');
    Object.assign(field, { value: text, className: 'sr', readOnly: true });
    button.after(field);
    field.select();
    const isDone = document.execCommand('copy');
    field.remove();
    button.focus();
    if (!isDone) throw new Error('copying was refused');
  }
  onClick('[data-copy]', (button) => copy(button.dataset.copy, button).then(
    () => { window.partyline?.toast?.('Copied'); },
    () => say('This browser does not let pages copy. Select the text instead.'),
  ));
})();
