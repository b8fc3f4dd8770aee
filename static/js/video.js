/*
 * Where the picture is: #screen holds the media element and the players in frames, outside every swap, and is laid over
 * the stage's cover, or over the small one of a phone's other tabs. Full screen, picture in picture, and why not.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const screen = byId('screen'), { body } = document, { player } = partyline;
  if (!screen || !player) return;
  const { media } = player, AWAKE_MS = 2500, HAVE_CURRENT_DATA = 2;
  const keys = byId('screen-keys'), full = byId('screen-full'), apart = byId('screen-apart');
  const data = () => byId('playback')?.dataset ?? {};
  const isNative = () => ['file', 'hls'].includes(data().player ?? 'file');
  /** Spotify's player is sound alone, until it has something to say. */
  const isSoundAlone = () => data().player === 'spotify' && !byId('player-frame').childElementCount;

  /** Known before it loads, or seen once it has: what is said to be sound alone may carry its cover as a picture. */
  function hasPicture() {
    const { item, video, mime = '' } = data();
    if (!item) return false;
    return video === 'true' || (!isNative() && !isSoundAlone()) || (media.videoWidth > 0 && !mime.startsWith('audio/'));
  }

  /** Until there is a first picture the cover is seen. */
  function paint() {
    const isOn = hasPicture();
    body.classList.toggle('room--video', isOn);
    if (!isOn && document.fullscreenElement === screen) document.exitFullscreen();
    screen.hidden = !isOn;
    const isShown = isOn && (!isNative() || (media.videoWidth > 0 && media.readyState >= HAVE_CURRENT_DATA));
    screen.classList.toggle('is-shown', isShown);
    byId('player-frame').hidden = isNative();
    media.hidden = !isNative();
    keys.hidden = !(isShown && isNative());
    body.classList.toggle('room--tall', isOn && isNative() && media.videoHeight > media.videoWidth);
    tellTrouble();
    place();
  }

  /* --- where --- */

  const places = () => [document.querySelector('#now-playing .stage__art'), document.querySelector('#mini-open .cover')];
  let placed = '';

  /** Numbers for the style sheet, from the top left of the page: where the cover stands that can be seen now. */
  function place() {
    const target = places().find((one) => one?.getClientRects().length);
    screen.classList.toggle('is-away', !target);
    screen.classList.toggle('is-small', Boolean(target?.closest('#mini')));
    if (!target) return;
    const { left, top, width, height } = target.getBoundingClientRect();
    const next = [left + scrollX, top + scrollY, width, height].map((number) => `${number.toFixed(1)}px`);
    if (String(next) === placed) return;
    placed = String(next);
    ['left', 'top', 'width', 'height'].forEach((name, at) => body.style.setProperty(`--screen-${name}`, next[at]));
  }

  const sizes = new ResizeObserver(() => place());
  let watched = [];
  function watch() {
    const now = [document.querySelector('.room__main'), byId('now-playing'), byId('mini'), ...places()].filter(Boolean);
    if (String(now.map((one) => one.id || one.className)) === String(watched.map((one) => one.id || one.className)) && now.every((one, at) => one === watched[at])) return;
    sizes.disconnect();
    watched = now;
    for (const one of now) sizes.observe(one);
  }

  /* --- full screen, picture in picture --- */

  const canFull = () => Boolean(screen.requestFullscreen || media.webkitEnterFullscreen);

  /** A phone that shows only its own player in full is asked for that one. */
  function toggleFull() {
    if (keys.hidden) return false;
    if (document.fullscreenElement) document.exitFullscreen();
    else if (screen.requestFullscreen) screen.requestFullscreen().catch(() => {});
    else media.webkitEnterFullscreen?.();
    return true;
  }

  async function toggleApart() {
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await media.requestPictureInPicture();
    } catch { partyline.toast?.('This browser keeps the picture on the page.'); }
  }

  let sleepTimer = 0;
  /** In full screen the keys and the pointer go when nobody moves. */
  function wake() {
    screen.classList.add('is-awake');
    clearTimeout(sleepTimer);
    sleepTimer = setTimeout(() => screen.classList.remove('is-awake'), AWAKE_MS);
  }

  full.hidden = !canFull();
  apart.hidden = !(document.pictureInPictureEnabled && media.requestPictureInPicture);
  full.addEventListener('click', toggleFull);
  apart.addEventListener('click', toggleApart);
  media.addEventListener('dblclick', toggleFull);
  // In full screen the player keeps the keys; a phone's small picture opens the player.
  media.addEventListener('click', () => { if (screen.classList.contains('is-small')) byId('mini-open')?.click(); });
  for (const type of ['pointermove', 'pointerdown', 'focusin']) screen.addEventListener(type, wake);
  document.addEventListener('fullscreenchange', () => {
    const isFull = document.fullscreenElement === screen;
    full.setAttribute('aria-label', isFull ? 'Leave full screen' : 'Full screen');
    wake();
    place();
  });
  const BUSY = 'input, textarea, select, dialog, [contenteditable], [role="menu"], [popover]';
  document.addEventListener('keydown', (event) => {
    if (event.key !== 'f' || event.defaultPrevented || event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest?.(BUSY) || document.querySelector('dialog[open]')) return;
    if (toggleFull()) event.preventDefault();
  });

  /* --- why not --- */

  const isAddress = (url) => { try { return ['http:', 'https:'].includes(new URL(url, location.href).protocol); } catch { return false; } };
  function tellTrouble() {
    const { problem } = player, box = byId('trouble'), open = byId('trouble-open');
    body.classList.toggle('has-trouble', Boolean(problem));
    box.hidden = !problem;
    if (!problem) return;
    if (byId('trouble-words').textContent !== problem.text) byId('trouble-words').textContent = problem.text;
    open.hidden = !problem.url || !isAddress(problem.url);
    if (!open.hidden) open.href = problem.url;
  }

  for (const type of ['loadeddata', 'loadedmetadata', 'emptied', 'resize', 'playing']) media.addEventListener(type, paint);
  partyline.on('after', () => { paint(); watch(); });
  document.addEventListener('partyline:playback', paint);
  let shownProblem = null;
  document.addEventListener('partyline:player', () => {
    if (player.problem?.text !== shownProblem) { shownProblem = player.problem?.text; paint(); }
  });
  // The tabs of a phone, and a class that widens the stage, move the cover without changing its size.
  new MutationObserver(place).observe(body, { attributes: true, attributeFilter: ['class', 'data-tab'] });
  addEventListener('resize', place);
  document.addEventListener('scroll', place, { capture: true, passive: true });
  watch();
  paint();
})();
