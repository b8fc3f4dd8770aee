/*
 * Doors. In a room: links made whole, and invitations and bans looked up when somebody opens their list.
 * Outside: waiting at a door after a knock, until it opens.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const POLL_MS = 5000, LONGEST_DELAY_MS = 15000;

  /* --- links that work elsewhere, times as they are here --- */

  const origin = document.body.dataset.origin || location.origin;
  const timeHere = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: 'short', hour: 'numeric', minute: '2-digit' });

  function makeWhole() {
    for (const field of all('input[data-origin]')) {
      const whole = `${origin}${field.getAttribute('value')}`;
      if (field.value !== whole) field.value = whole;
    }
    for (const button of all('[data-copy^="/"]')) button.dataset.copy = `${origin}${button.dataset.copy}`;
    for (const time of all('time[data-at-ms]')) {
      const words = timeHere.format(Number(time.dataset.atMs));
      if (time.textContent !== words) time.textContent = words;
    }
  }
  document.addEventListener('htmx:after:swap', makeWhole);
  makeWhole();

  if (document.body.dataset.knock) waitAtDoor(document.body.dataset.knock);
  if (!partyline?.link) return;

  /* --- lists that only who asks is shown --- */

  const placeOf = (owner) => byId(owner?.dataset.look ?? '');
  const isOpen = (owner) => owner.open && owner.getClientRects().length > 0;

  async function look(place) {
    if (!place) return;
    const hadFocus = place.contains(document.activeElement);
    await htmx.ajax('GET', place.dataset.from, { source: place, target: place, swap: 'none' });
    if (hadFocus && !place.contains(document.activeElement)) place.focus({ preventScroll: true });
  }
  const lookAgain = () => { for (const owner of all('[data-look]')) if (isOpen(owner)) look(placeOf(owner)); };

  let isStale = false;
  document.addEventListener('click', (event) => {
    const button = event.target.closest?.('[data-open]');
    if (button) look(placeOf(byId(button.dataset.open)));
  });
  document.addEventListener('toggle', ({ target }) => { if (target.open && target.dataset?.look) look(placeOf(target)); }, true);
  partyline.on('before', (tasks) => { isStale ||= tasks.some(({ target }) => ['share', 'settings'].includes(target?.id)); });
  partyline.on('after', () => { if (isStale) { isStale = false; lookAgain(); } });
  partyline.on('command', (ctx, result) => {
    const path = new URL(ctx.request.action, location.href).pathname;
    if (/\/(invites|bans?)(\/|$)/.test(path)) lookAgain();
    // A password is not left standing in its field; what was refused can be mended.
    if (/\/access$/.test(path) && result === 'done') byId('access')?.reset();
  });

  /** Whoever is taken off the line sees the door, and what it says, in place of the room. */
  partyline.on('stop', (reason) => { if (reason === 'removed') location.replace(`${partyline.base}door`); });

  /* --- waiting at a door --- */

  function waitAtDoor(address) {
    let socket = null, tries = 0, isDone = false;

    function follow() {
      const piece = byId('knock');
      if (piece?.dataset.go) location.replace(piece.dataset.go);
      isDone = piece?.dataset.state !== 'waiting';
      if (isDone) socket?.close();
    }
    document.addEventListener('htmx:after:swap', follow);

    const ask = () => htmx.ajax('GET', address, { source: byId('knock'), target: byId('knock'), swap: 'none' });

    function connect() {
      if (isDone) return;
      socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}${address}/live`);
      socket.addEventListener('open', () => { tries = 0; });
      socket.addEventListener('message', ({ data }) => { if (JSON.parse(data).t === 'knock') ask(); });
      socket.addEventListener('close', () => {
        socket = null;
        tries += 1;
        setTimeout(connect, Math.random() * Math.min(LONGEST_DELAY_MS, 500 * 2 ** tries));
      });
    }

    setInterval(() => { if (!isDone && socket?.readyState !== WebSocket.OPEN) ask(); }, POLL_MS);
    document.addEventListener('visibilitychange', () => { if (!document.hidden && !isDone) ask(); });
    addEventListener('DOMContentLoaded', () => { follow(); connect(); });
  }
})();
