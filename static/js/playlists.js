/* Playlists: their tracks moved by hand, by keyboard or by menu; in a room the box that keeps music; lists as text. */
(() => {
  const byId = (id) => document.getElementById(id);
  const NOTE_MS = 8000;
  const room = window.partyline?.link ? window.partyline : null;

  /* --- words to the person; a room has its own --- */

  function say(text) {
    if (room) { room.say(text); return; }
    byId('announcer').textContent = '';
    setTimeout(() => { byId('announcer').textContent = text; }, 50);
  }

  function toast(text) {
    if (room) { room.toast(text); return; }
    const box = byId('toast').content.firstElementChild.cloneNode(true);
    box.querySelector('span').textContent = text;
    byId('toasts').replaceChildren(box);
    setTimeout(() => box.remove(), NOTE_MS);
  }
  // ui.js says so when something was copied.
  if (!room && byId('toasts')) window.partyline = { ...window.partyline, say, toast };

  /* --- lists as text --- */

  document.addEventListener('click', async (event) => {
    const button = event.target.closest?.('[data-copy-from]');
    if (!button || 'copy' in button.dataset) return;
    const answer = await fetch(button.dataset.copyFrom).catch(() => null);
    if (!answer?.ok) { toast('That didn’t come through. Press it again.'); return; }
    button.dataset.copy = await answer.text();
    button.click();
    delete button.dataset.copy;
  });

  /* --- in a room: the box --- */

  const box = byId('playlist-box');
  document.addEventListener('htmx:finally:request', ({ detail: { ctx } }) => {
    // What opens the box is a link that htmx has taken over: it opens once it has something to show.
    const isAsked = ctx.sourceElement?.matches?.('[hx-target="#playlist-sheet"]') && ctx.response?.status < 400;
    if (isAsked && !box.open) box.showModal();
    if (box?.open && ctx.request.method !== 'GET' && box.contains(ctx.request.form ?? ctx.sourceElement)) box.close();
  });
  document.addEventListener('partyline:menu', ({ target, detail }) => {
    const row = target.closest('#queue .track');
    if (!row || detail.item.dataset.save === undefined) return;
    box.showModal();
    htmx.ajax('GET', `${room.base}playlists?for=track&item=${room.rows.idOf(row)}`, { target: '#playlist-sheet', swap: 'outerHTML' });
  });

  /* --- bringing one in --- */

  // What is too long is not read at all, and what was typed beside it would be lost.
  byId('bring-file')?.addEventListener('change', ({ target }) => {
    const { mostBytes, tooMuch } = target.dataset;
    target.setCustomValidity(target.files[0]?.size > Number(mostBytes) ? tooMuch : '');
    target.reportValidity();
  });

  /* --- a playlist's tracks --- */

  const list = () => byId('songs');
  const holder = () => byId('playlist-entries');
  if (!holder()) return;

  const idOf = (row) => row.dataset.entry;
  const rowsIn = () => [...list().querySelectorAll('.song')];
  const titleOf = (row) => row.querySelector('.song__title').textContent;
  const base = () => `/playlists/${holder().dataset.playlist}/entries/`;

  async function post(row, act, values) {
    await htmx.ajax('POST', `${base()}${idOf(row)}/${act}`, {
      source: holder(), target: holder(), swap: 'none', values: { page: holder().dataset.page, ...values },
    });
  }

  function tellPlace(row) {
    const rows = rowsIn();
    say(`${titleOf(row)}: ${rows.indexOf(row) + 1} of ${rows.length}`);
  }

  /** One place up or down, across the edge of a page too: the plain form knows the neighbour. */
  function step(row, way) {
    const button = byId(`${way}-${idOf(row)}`);
    if (!button) return;
    const other = way === 'up' ? row.previousElementSibling : row.nextElementSibling;
    const isGrip = document.activeElement?.id === `hold-${idOf(row)}`;
    button.form.requestSubmit(button);
    if (!other) return;
    if (way === 'up') list().insertBefore(row, other); else list().insertBefore(other, row);
    if (isGrip) byId(`hold-${idOf(row)}`).focus({ preventScroll: true });
    row.scrollIntoView({ block: 'nearest' });
    tellPlace(row);
  }

  let copying = null;
  document.addEventListener('partyline:menu', ({ target, detail }) => {
    const row = target.closest('.song'), act = detail.item.dataset.song;
    if (!row || !act) return;
    if (act === 'up' || act === 'down') step(row, act);
    else if (act === 'top') post(row, 'move', { after: '' });
    else if (act === 'remove') byId(`remove-${idOf(row)}`).form.requestSubmit();
    else { copying = row; byId('copy-box').showModal(); }
  });
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-copy-to]');
    if (!button || !copying) return;
    byId('copy-box').close();
    post(copying, 'copies', { to: button.dataset.copyTo });
  });
  document.addEventListener('keydown', (event) => {
    const grip = event.target.closest?.('.song__grip');
    if (!grip || !['ArrowUp', 'ArrowDown'].includes(event.key)) return;
    event.preventDefault();
    step(grip.closest('.song'), event.key === 'ArrowUp' ? 'up' : 'down');
  });
  document.addEventListener('submit', (event) => {
    const row = event.target.closest('.song');
    // What had the focus goes with the row: the next one's handle takes it.
    if (!row || !event.target.matches('.song__remove')) return;
    const heir = row.nextElementSibling ?? row.previousElementSibling;
    heir?.querySelector('.song__grip')?.focus({ preventScroll: true });
  }, true);

  /* --- dragging --- */

  const moveTo = (row, next) => list().insertBefore(row, next);
  window.partyline.dragging({
    grip: '.song__grip', row: '.song',
    scroller: () => document.scrollingElement,
    neighbour: (row, step) => (step < 0 ? row.previousElementSibling : row.nextElementSibling),
    moveTo, placeOf: (row) => row.previousElementSibling,
    dropped(row, from, isMeant) {
      const above = row.previousElementSibling;
      if (above === from) return;
      if (!isMeant) { moveTo(row, from ? from.nextElementSibling : list().firstElementChild); return; }
      tellPlace(row);
      // The first of a later page stands after the last of the page before it.
      post(row, 'move', { after: above ? idOf(above) : holder().dataset.before });
    },
  });
})();
