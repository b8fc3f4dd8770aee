/*
 * Where this person stopped: said to the server every few seconds, and offered when they missed a piece. Watching alone
 * is this page's own affair (partyline.player.watchAlone); nothing of it reaches the room.
 */
(() => {
  const { partyline } = window;
  const { player } = partyline ?? {};
  const byId = (id) => document.getElementById(id);
  const box = byId('alone');
  if (!player || !partyline.link || !box) return;
  const LOOK_MS = 1000, LONG_MS = 600_000, OFTEN_MS = 5000, SELDOM_MS = 30_000, MISSED_MS = 60_000, NEAR_MS = 1000;
  const MOVING = ['in step', 'off', 'muted'];
  const room = () => byId('playback')?.dataset ?? {};

  function words(ms) {
    const seconds = Math.floor(Math.max(0, ms) / 1000), two = (number) => String(number).padStart(2, '0');
    const minutes = Math.floor(seconds / 60), hours = Math.floor(minutes / 60);
    return hours ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  }

  const apart = (ms) => `${words(Math.abs(ms))} ${ms > 0 ? 'ahead' : 'behind'}`;

  /* --- how far --- */

  /** What a frame says of itself that cannot be steered. */
  let reported = null;
  document.addEventListener('partyline:progress', ({ detail }) => { reported = { item: player.item, ...detail }; });

  function place() {
    if (!player.item) return null;
    if (reported?.item === player.item) return { positionMs: reported.positionMs, durationMs: reported.durationMs ?? 0 };
    if (!MOVING.includes(player.state) && !player.alone) return null;
    const durationMs = Number.isFinite(player.durationMs) ? player.durationMs : 0;
    return { positionMs: player.wantedMs(), durationMs };
  }

  let saved = { item: '', positionMs: -1, at: 0 }, last = { item: '', positionMs: 0, at: 0 };

  function values(now) {
    return { item: player.item, position_ms: Math.max(0, Math.round(now.positionMs)), duration_ms: Math.round(now.durationMs) || 0 };
  }

  function save(isLast = false) {
    const now = place();
    if (!now || !Number.isFinite(now.positionMs)) return;
    // What is still offered is where they stopped: a few seconds of what the room plays must not take its place.
    if (offered?.item === player.item && !player.alone) return;
    last = { item: player.item, positionMs: now.positionMs, at: Date.now() };
    const isLong = player.isVideo || now.durationMs >= LONG_MS;
    const isEarly = saved.item === player.item && performance.now() - saved.at < (isLong ? OFTEN_MS : SELDOM_MS);
    const isSame = saved.item === player.item && Math.abs(saved.positionMs - now.positionMs) < NEAR_MS;
    if (isSame || (isEarly && !isLast)) return;
    saved = { item: player.item, positionMs: now.positionMs, at: performance.now() };
    // A page that is closed has no time for an answer, and nobody waits for one otherwise either.
    const body = new URLSearchParams(values(now));
    fetch(`${partyline.base}progress`, { method: 'POST', body, keepalive: isLast, headers: { 'HX-Request': 'true' } }).catch(() => {});
  }

  addEventListener('pagehide', () => save(true));
  document.addEventListener('visibilitychange', () => { if (document.hidden) save(true); });

  /* --- what was missed --- */

  let offered = null, refusedFor = '';

  function offer(item, positionMs) {
    if (player.alone || item !== room().item || refusedFor === item || room().player === 'embed' || player.isLive) return;
    // Also ahead: what one began another day the room may have started over.
    if (Math.abs(player.roomMs() - positionMs) < MISSED_MS) return;
    offered = { item, positionMs };
    show();
  }

  /** Whoever came later than they left off, and whoever was away for a while meanwhile. */
  function lookForGaps() {
    const { item, state } = room();
    if (state !== 'playing' || player.alone) return;
    if (offered && offered.item !== item) { offered = null; show(); }
    // Away for a while, not only left behind by a leap of the host's.
    const wasAway = Date.now() - last.at >= MISSED_MS;
    if (last.item === item && wasAway && player.roomMs() - last.positionMs >= MISSED_MS) offer(item, last.positionMs);
  }

  function show() {
    const { alone } = player;
    box.hidden = !alone && !offered;
    byId('alone-start').hidden = byId('alone-close').hidden = Boolean(alone);
    byId('alone-rejoin').hidden = !alone;
    byId('alone-pause').hidden = alone?.state !== 'playing';
    byId('alone-play').hidden = alone?.state !== 'paused';
    say();
  }

  function say() {
    const { alone } = player;
    let text = '';
    if (alone && alone.item !== room().item) text = 'You’re watching alone. The room has gone on.';
    else if (alone) text = `You’re watching alone, ${apart(player.wantedMs() - player.roomMs())}.`;
    else if (offered) text = `You stopped at ${words(offered.positionMs)}. The room is at ${words(player.roomMs())}.`;
    if (byId('alone-words').textContent !== text) byId('alone-words').textContent = text;
  }

  byId('alone-start').addEventListener('click', () => {
    if (!offered) return;
    player.watchAlone(offered.positionMs);
    partyline.say?.(`Watching alone from ${words(offered.positionMs)}`);
    offered = null;
    show();
    byId('alone-rejoin').focus();
  });
  byId('alone-pause').addEventListener('click', () => { player.pauseAlone(); show(); byId('alone-play').focus(); });
  byId('alone-play').addEventListener('click', () => { player.watchAlone(player.alone.positionMs); show(); byId('alone-pause').focus(); });
  byId('alone-rejoin').addEventListener('click', () => {
    save(true);
    refusedFor = room().item;
    last = { item: '', positionMs: 0, at: 0 };
    player.rejoin();
    partyline.say?.('Back with the room');
    show();
  });
  byId('alone-close').addEventListener('click', () => {
    refusedFor = offered?.item ?? '';
    offered = null;
    show();
  });

  setInterval(() => {
    lookForGaps();
    save();
    if (!box.hidden) say();
  }, LOOK_MS);
  document.addEventListener('partyline:playback', show);
  // Nothing can be said about gaps before the clock is known.
  const first = setInterval(() => {
    if (!partyline.clock.isLocked) return;
    clearInterval(first);
    if (box.dataset.stoppedMs) offer(box.dataset.item, Number(box.dataset.stoppedMs));
  }, 100);
})();
