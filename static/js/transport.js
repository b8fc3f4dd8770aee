/*
 * The playing track on the page: the wave that has been heard, keys, and the device's own media keys.
 * Every command goes through the room's real forms, so a control works here exactly when it stands on the page.
 */
(() => {
  const { partyline } = window;
  const player = partyline?.player;
  const byId = (id) => document.getElementById(id);
  if (!player) return;
  const DRAW_MS = 250, SKIP_MS = 10000;
  const data = () => byId('playback')?.dataset ?? {};

  /* --- progress --- */

  let isSeeking = false, drawn = '';
  const isSeek = ({ target }) => target.id === 'seek';
  document.addEventListener('pointerdown', (event) => { if (isSeek(event)) isSeeking = true; });
  document.addEventListener('pointerup', () => { isSeeking = false; });
  document.addEventListener('pointercancel', () => { isSeeking = false; });
  document.addEventListener('input', (event) => { if (isSeek(event)) draw(Number(event.target.value)); });

  function words(ms) {
    const seconds = Math.floor(Math.max(0, ms) / 1000), minutes = Math.floor(seconds / 60);
    const two = (number) => String(number).padStart(2, '0');
    return minutes < 60
      ? `${minutes}:${two(seconds % 60)}`
      : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`;
  }

  function position() {
    const { durationMs, positionMs, state } = data();
    const wanted = state === 'playing' ? player.wantedMs() : Number(positionMs);
    return Math.max(0, Math.min(Number(durationMs) || Infinity, Number.isFinite(wanted) ? wanted : Number(positionMs)));
  }

  /** Live, or of a length nobody knows yet: how long it has been on, and no end. */
  function drawEndless(box) {
    const elapsed = player.isLive ? '' : words(position()), left = player.isLive ? 'Live' : '';
    box.classList.toggle('is-live', player.isLive);
    for (const [name, text] of [['elapsed', elapsed], ['left', left]]) {
      const field = box.querySelector(`.progress__${name}`);
      if (field.textContent !== text) field.textContent = text;
    }
    byId('seek').setAttribute('aria-valuetext', player.isLive ? 'Live' : `${elapsed}, with no end known`);
  }

  function draw(at = isSeeking ? Number(byId('seek').value) : position()) {
    const box = byId('progress'), duration = Number(data().durationMs);
    if (!box) return;
    if (!duration) { drawEndless(box); return; }
    const part = `${(100 * at / duration).toFixed(2)}%`;
    for (const rect of box.querySelectorAll('.progress__gap, .progress__done')) rect.setAttribute('width', part);
    box.querySelector('.progress__head').setAttribute('cx', part);
    document.querySelector('.mini__done')?.setAttribute('width', part);
    const elapsed = words(at), spoken = `${elapsed} of ${words(duration)}`;
    const isNew = box.querySelector('.progress__elapsed').textContent !== elapsed || drawn !== spoken;
    if (!isNew) return;
    drawn = spoken;
    box.querySelector('.progress__elapsed').textContent = elapsed;
    box.querySelector('.progress__left').textContent = `−${words(duration - at)}`;
    const seek = byId('seek');
    if (seek.matches('input')) { if (!isSeeking) seek.value = at; } else seek.setAttribute('aria-valuenow', Math.round(at));
    seek.setAttribute('aria-valuetext', spoken);
  }

  setInterval(() => { if (!document.hidden) draw(); }, DRAW_MS);
  partyline.on('after', () => draw());
  document.addEventListener('visibilitychange', () => { if (!document.hidden) draw(); });

  /* --- commands --- */

  function press(id, value) {
    const button = byId(id);
    if (!button || (value && button.value !== value)) return false;
    button.click();
    return true;
  }

  function seekTo(ms) {
    const seek = byId('seek');
    if (!seek?.matches('input')) return false;
    seek.value = Math.max(0, Math.min(Number(seek.max), ms));
    seek.dispatchEvent(new Event('change', { bubbles: true }));
    draw(Number(seek.value));
    return true;
  }

  function pressMute() {
    const mute = byId('mute');
    mute?.click();
    if (mute) partyline.say?.(mute.checked ? 'Muted on this device' : 'Sound on');
    return Boolean(mute);
  }

  const KEYS = {
    ' ': () => (byId('sound-chip')?.hidden === false ? (player.tap(), true) : press('play')),
    m: pressMute,
    'shift+ArrowLeft': () => seekTo(position() - SKIP_MS),
    'shift+ArrowRight': () => seekTo(position() + SKIP_MS),
    'shift+N': () => press('skip-now'),
  };
  const BUSY = 'input, textarea, select, button, a, summary, dialog, [contenteditable], [role="menu"], [popover]';
  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(BUSY) || document.querySelector('dialog[open]')) return;
    const act = KEYS[(event.shiftKey ? 'shift+' : '') + event.key];
    if (act?.()) event.preventDefault();
  });

  /* --- the device's own media keys and lock screen --- */

  const session = navigator.mediaSession;
  function tellDevice() {
    const { item, title, artist, cover, state, durationMs, rate } = data();
    if (!item) {
      session.metadata = null;
      session.playbackState = 'none';
      return;
    }
    const artwork = cover ? [{ src: new URL(cover, location.href).href, sizes: '512x512' }] : [];
    session.metadata = new MediaMetadata({ title, artist, artwork });
    session.playbackState = state === 'playing' ? 'playing' : 'paused';
    try {
      session.setPositionState({ duration: durationMs / 1000, playbackRate: Number(rate) || 1, position: position() / 1000 });
    } catch { /* a browser without it, or a duration not known yet */ }
    setHandlers();
  }

  /** For a guest the keys keep their ordinary meaning: they pause this device only. */
  function setHandlers() {
    const isHost = data().canControl === 'true';
    const handlers = {
      play: () => press('play', 'play') || player.tap(),
      pause: () => press('play', 'pause'),
      nexttrack: () => press('skip-now'),
      previoustrack: () => press('restart'),
      seekto: ({ seekTime }) => seekTo(seekTime * 1000),
      seekbackward: ({ seekOffset }) => seekTo(position() - (seekOffset * 1000 || SKIP_MS)),
      seekforward: ({ seekOffset }) => seekTo(position() + (seekOffset * 1000 || SKIP_MS)),
    };
    for (const [action, handler] of Object.entries(handlers)) {
      try { session.setActionHandler(action, isHost ? handler : null); } catch { /* not known to this browser */ }
    }
  }

  if (session) {
    document.addEventListener('partyline:playback', tellDevice);
    tellDevice();
  }
  draw();
})();
