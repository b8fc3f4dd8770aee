/*
 * What the results of a search can do: a short listen beforehand, for this person alone, and rows of other catalogues
 * that say whether they are on the line. The room never hears a listen; its own sound steps back while one lasts.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const add = byId('add'), field = byId('search');
  if (!partyline || !add || !field) return;

  const HOVER_MS = 500, PRESS_MS = 450, LONGEST_MS = 20_000, FROM = 0.3, LOUD = 0.45, DUCKED = 0.2, STILL_PX = 10;
  const rowOf = (element) => element?.closest?.('.result[data-preview]') ?? null;
  // Who pays for data decides by pressing the button; pointing at a row costs nothing.
  const isSparing = () => Boolean(navigator.connection?.saveData) || matchMedia('(prefers-reduced-data: reduce)').matches;

  /* --- listening --- */

  const ear = new Audio();
  ear.preload = 'none';
  let heard = null, ending = 0;

  /** The room's player has the say over its volume; where it offers no way, its native element is turned down. */
  let fullVolume = null;
  function duck(isDucked) {
    const { player } = partyline;
    if (player?.duck) { player.duck(isDucked ? DUCKED : 1); return; }
    if (!player?.media || isDucked === (fullVolume !== null)) return;
    if (isDucked) [fullVolume, player.media.volume] = [player.media.volume, player.media.volume * DUCKED];
    else [player.media.volume, fullVolume] = [fullVolume, null];
  }

  const button = (row) => row?.querySelector('[data-hear]');
  const titleOf = (row) => row.querySelector('.result__title').textContent;

  function listen(row) {
    if (heard === row) return;
    stop();
    heard = row;
    ear.src = row.dataset.preview;
    ear.volume = LOUD;
    ear.play().then(() => {
      if (heard !== row) return;
      duck(true);
      row.classList.add('is-heard');
      button(row)?.setAttribute('aria-pressed', 'true');
      partyline.say?.(`Listening to ${titleOf(row)}`);
      ending = setTimeout(stop, LONGEST_MS);
    }).catch((error) => {
      if (heard !== row) return;
      stop();
      if (error.name !== 'NotAllowedError') partyline.say?.('There is nothing to listen to just now.');
    });
  }

  function stop() {
    clearTimeout(ending);
    if (!heard) return;
    const row = heard;
    heard = null;
    ear.pause();
    ear.removeAttribute('src');
    duck(false);
    row.classList.remove('is-heard');
    button(row)?.setAttribute('aria-pressed', 'false');
  }

  ear.addEventListener('loadedmetadata', () => {
    if (Number.isFinite(ear.duration)) ear.currentTime = ear.duration * FROM;
  });
  ear.addEventListener('ended', stop);

  /* --- pointing, pressing long, pressing the button, the key --- */

  let waiting = 0, pressedAt = null, isLong = false;

  function forget() {
    clearTimeout(waiting);
    pressedAt = null;
  }

  add.addEventListener('pointerover', (event) => {
    const row = rowOf(event.target);
    if (event.pointerType !== 'mouse' || !row || row.contains(event.relatedTarget) || isSparing()) return;
    clearTimeout(waiting);
    waiting = setTimeout(listen, HOVER_MS, row);
  });
  add.addEventListener('pointerout', (event) => {
    const row = rowOf(event.target);
    if (event.pointerType !== 'mouse' || !row || row.contains(event.relatedTarget)) return;
    forget();
    // Who pressed the button or a key hears on while the focus stays.
    if (heard === row && !row.contains(document.activeElement)) stop();
  });

  add.addEventListener('pointerdown', (event) => {
    isLong = false;
    const row = rowOf(event.target);
    if (event.pointerType !== 'touch' || !row || event.target.closest('[data-hear]') || isSparing()) return;
    pressedAt = [event.clientX, event.clientY];
    waiting = setTimeout(() => { isLong = true; listen(row); }, PRESS_MS);
  });
  add.addEventListener('pointermove', (event) => {
    if (pressedAt && Math.hypot(event.clientX - pressedAt[0], event.clientY - pressedAt[1]) > STILL_PX && !isLong) forget();
  });
  for (const name of ['pointerup', 'pointercancel']) {
    document.addEventListener(name, (event) => {
      if (event.pointerType !== 'touch') return;
      forget();
      if (isLong) stop();
    });
  }
  // A finger that listened presses nothing, and opens no menu.
  add.addEventListener('contextmenu', (event) => { if (isLong || pressedAt) event.preventDefault(); });
  add.addEventListener('click', (event) => {
    if (isLong) { isLong = false; event.preventDefault(); event.stopPropagation(); return; }
    const pressed = event.target.closest('[data-hear]');
    if (!pressed) return;
    forget();
    if (pressed.getAttribute('aria-pressed') === 'true') stop(); else listen(rowOf(pressed));
  }, true);

  add.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') { stop(); return; }
    const row = rowOf(event.target);
    // What listens is no button of the page's: arrows go from one “Add” to the next.
    const isPressed = 'hear' in event.target.dataset && (event.key === 'Enter' || event.key === ' ');
    if ((event.key !== 'p' && !isPressed) || !row || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    if (heard === row) stop(); else listen(row);
  });
  add.addEventListener('focusout', (event) => { if (heard?.contains(event.target) && !heard.contains(event.relatedTarget)) stop(); });
  document.addEventListener('visibilitychange', () => { if (document.hidden) stop(); });
  document.addEventListener('pointerdown', (event) => { if (!add.contains(event.target)) { forget(); stop(); } });

  /* --- rows of other catalogues --- */

  function ordinal(number) {
    const isTeen = number % 100 >= 11 && number % 100 <= 13;
    return `${number}${(!isTeen && { 1: 'st', 2: 'nd', 3: 'rd' }[number % 10]) || 'th'}`;
  }

  const put = new Set();

  /** As shelf.js does for the library's own rows; what was added from here stays marked until it has a place. */
  function mark() {
    if (heard && !heard.isConnected) stop();
    for (const hear of add.querySelectorAll('[data-hear][hidden]')) hear.hidden = false;
    const queue = byId('queue');
    if (!queue) return;
    const mayAdd = queue.dataset.add !== '', verb = queue.dataset.add === 'suggest' ? 'Suggest' : 'Add';
    const places = new Map([...queue.children].filter((row) => row.dataset.track).map((row, at) => [row.dataset.track, at + 1]));
    for (const row of add.querySelectorAll('#elsewhere .result')) {
      const button = row.querySelector('button.btn'), done = row.querySelector('.btn--done');
      if (!button) continue;
      const place = places.get(row.dataset.track);
      const words = place ? `In line, ${ordinal(place)}` : put.has(row.dataset.found) ? `${verb}ed` : '';
      const name = `${verb} ${titleOf(row)}`;
      if (button.getAttribute('aria-label') !== name) {
        button.setAttribute('aria-label', name);
        button.querySelector('.result__word').textContent = verb;
      }
      if (words && done.lastElementChild.textContent !== words) done.lastElementChild.textContent = words;
      done.hidden = !words;
      if (button.hidden === (Boolean(words) || !mayAdd)) continue;
      const hadFocus = document.activeElement === button;
      button.hidden = !button.hidden;
      if (hadFocus) (row.nextElementSibling?.querySelector('.btn:is(button, a):not([hidden])') ?? field).focus();
    }
  }

  partyline.on?.('command', (ctx, result) => {
    const pressed = ctx.request.submitter;
    if (result !== 'done' || pressed?.name !== 'found') return;
    put.add(pressed.value);
    mark();
  });

  // “Look for it”: the same field, with the song's name in it.
  add.addEventListener('click', (event) => {
    const link = event.target.closest('[data-look]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    field.value = link.dataset.look;
    field.dispatchEvent(new Event('input', { bubbles: true }));
    field.focus();
  });

  /** Said once for each answer that came in while somebody waited. */
  const toldOf = new Set();
  function tell() {
    for (const block of add.querySelectorAll('.source')) {
      const key = `${block.id} ${field.value}`;
      if (block.dataset.sourceState === 'waiting' || toldOf.has(key)) continue;
      toldOf.add(key);
      const name = block.querySelector('.source__name').firstChild.textContent.trim();
      const count = block.querySelectorAll('.result').length;
      if (count) partyline.say?.(`${name}: ${count} found`);
    }
  }

  partyline.on?.('after', mark);
  document.addEventListener('htmx:after:swap', () => { mark(); tell(); });
  mark();
})();
