/*
 * Where this person stopped: said to the server every few seconds, and offered when they missed a piece, or when what
 * they began another time is put on again. Watching alone is this page's own affair (partyline.player.watchAlone);
 * nothing of it reaches the room. Whoever may control it can take everybody there instead.
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
    // What the server still knows of an earlier time is asked for first, or the first seconds would take its place.
    if (known.item !== room().item && !player.alone) return;
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

  /** The item whose place of an earlier time is known; with the page came that of what played then. */
  const known = { item: box.dataset.item, asking: '' };
  async function learn(item) {
    known.asking = item;
    const { base } = partyline;
    const answer = await fetch(`${base}progress?item=${item}`, { headers: { 'HX-Request': 'true' } }).catch(() => null);
    const stopped = answer?.status === 200 ? await answer.json().catch(() => null) : null;
    known.asking = '';
    // Without an answer it is asked again; a refusal is one.
    if (!answer || item !== room().item) return;
    known.item = item;
    if (stopped) offer(item, stopped.position_ms);
  }

  function offer(item, positionMs) {
    if (player.alone || item !== room().item || refusedFor === item || room().player === 'embed' || player.isLive) return;
    // Also ahead: what one began another day the room may have started over.
    if (Math.abs(player.roomMs() - positionMs) < MISSED_MS) return;
    offered = { item, positionMs, isAhead: positionMs > player.roomMs() };
    show();
  }

  /** The room has come there by itself, or was taken there. */
  function dropPassed() {
    if (!offered) return;
    const apartMs = offered.positionMs - player.roomMs();
    if (offered.item === room().item && Math.abs(apartMs) > NEAR_MS && apartMs > 0 === offered.isAhead) return;
    offered = null;
  }

  /** Whoever came later than they left off, and whoever was away for a while meanwhile. */
  function lookForGaps() {
    const { item, state } = room();
    if (item && item !== known.item && item !== known.asking && partyline.clock.isLocked) learn(item);
    if (state !== 'playing' || player.alone) return;
    if (offered) show();
    // Away for a while, not only left behind by a leap of the host's.
    const wasAway = Date.now() - last.at >= MISSED_MS;
    if (last.item === item && wasAway && player.roomMs() - last.positionMs >= MISSED_MS) offer(item, last.positionMs);
  }

  function show() {
    const { alone } = player, { canControl, version } = room(), everyone = byId('alone-everyone');
    dropPassed();
    box.hidden = !alone && !offered;
    byId('alone-start').hidden = byId('alone-close').hidden = Boolean(alone);
    byId('alone-rejoin').hidden = !alone;
    everyone.hidden = Boolean(alone) || canControl !== 'true';
    const values = { item: offered?.item ?? '', version: version ?? '', position_ms: Math.round(offered?.positionMs ?? 0) };
    for (const [name, value] of Object.entries(values)) everyone.elements.namedItem(name).value = value;
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
