/*
 * Where this person stopped: said to the server every few seconds, and offered when they missed a piece, or when what
 * they began another time is put on again. Watching alone is this page's own affair (partyline.player.watchAlone);
 * nothing of it reaches the room. Whoever may control it can take everybody there instead.
 * `partyline.resume` tells tests what is decided from two looks at where somebody is.
 */
(() => {
  const { partyline } = window;
  const { player } = partyline ?? {};
  const byId = (id) => document.getElementById(id);
  const box = byId('alone');
  if (!player || !partyline.link || !box) return;
  const LOOK_MS = 1000, LONG_MS = 600_000, OFTEN_MS = 5000, SELDOM_MS = 30_000, MISSED_MS = 60_000, NEAR_MS = 1000;
  const SETTLED_MS = 120_000, WORTH_MS = 15_000, ASK_AGAIN_MS = 2000, ASK_SELDOM_MS = 60_000, TRIES = 8;
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
  document.addEventListener('partyline:progress', ({ detail }) => { reported = { item: player.item, at: Date.now(), ...detail }; });

  /** Where this person is, of which item, and as of when. Nobody gets anywhere in a room that stands still. */
  function place() {
    const { item } = player, isAlone = Boolean(player.alone);
    if (!item || player.state === 'ended') return null;
    if (reported?.item === item) return { item, isAlone, at: reported.at, positionMs: reported.positionMs, durationMs: reported.durationMs ?? 0 };
    const isFollowing = MOVING.includes(player.state) || player.state === 'paused';
    if (!isFollowing && !isAlone) return null;
    const durationMs = Number.isFinite(player.durationMs) ? player.durationMs : 0;
    const isStill = player.state === 'paused' && !isAlone;
    const now = { item, isAlone, isStill, at: Date.now(), positionMs: player.wantedMs(), durationMs };
    return Number.isFinite(now.positionMs) ? now : null;
  }

  const NOWHERE = { item: '', positionMs: 0, durationMs: 0, at: 0 };
  let saved = { item: '', positionMs: -1, at: 0 }, last = NOWHERE;

  /** How much of an item went by between two looks; nothing where somebody leapt, or was away. */
  function followedMs(before, now) {
    const moved = now.positionMs - before.positionMs, passed = now.at - before.at;
    const isStep = before.item === now.item && !before.isAlone && !now.isAlone && passed < MISSED_MS;
    return isStep && moved > 0 && Math.abs(moved - passed) < NEAR_MS ? moved : 0;
  }

  /** Whether the time since the last look was enough to reach the end. Who was away that long did not hear it. */
  function reachesEnd({ durationMs, positionMs, at }, now) {
    return durationMs > 0 && durationMs - positionMs <= Math.min(now - at, MISSED_MS) + NEAR_MS;
  }

  function send({ item, positionMs, durationMs }, isLast = false) {
    saved = { item, positionMs, at: performance.now() };
    const whole = (ms) => Math.max(0, Math.round(ms) || 0);
    const body = new URLSearchParams({ item, position_ms: whole(positionMs), duration_ms: whole(durationMs) });
    // A page that is closed has no time for an answer, and nobody waits for one otherwise either.
    fetch(`${partyline.base}progress`, { method: 'POST', body, keepalive: isLast, headers: { 'HX-Request': 'true' } }).catch(() => {});
  }

  function save(isLast = false) {
    finish(isLast);
    const now = place();
    if (!now) return;
    if (offered) offered.followedMs += followedMs(last, now);
    last = now;
    dropPassed();
    // What the server still knows of an earlier time is asked for first, or the first seconds would take its place.
    if (now.isStill || (known.item !== room().item && !now.isAlone)) return;
    // What is still offered is where they stopped: a few seconds of what the room plays must not take its place.
    if (offered?.item === now.item && !now.isAlone) return;
    const isLong = player.isVideo || now.durationMs >= LONG_MS;
    const isEarly = saved.item === now.item && performance.now() - saved.at < (isLong ? OFTEN_MS : SELDOM_MS);
    const isSame = saved.item === now.item && Math.abs(saved.positionMs - now.positionMs) < NEAR_MS;
    if (!isSame && (!isEarly || isLast)) send(now, isLast);
  }

  /** An end comes between two saves: whoever followed up to it is done, but not who came for its last seconds only. */
  function finish(isLast = false) {
    const isOver = last.item && (last.item !== player.item || player.state === 'ended');
    if (!isOver) return;
    const isBrief = offered?.item === last.item && offered.followedMs < WORTH_MS;
    if (reachesEnd(last, Date.now()) && !isBrief) send({ ...last, positionMs: last.durationMs }, isLast);
    last = NOWHERE;
  }

  addEventListener('pagehide', () => save(true));
  document.addEventListener('visibilitychange', () => { if (document.hidden) save(true); });

  /* --- what was missed --- */

  let offered = null, refused = { item: '', positionMs: 0 };

  /** The item whose place of an earlier time is known; with the page came that of what played then. */
  const known = { item: box.dataset.item };
  let asked = { item: '', tries: 0, isUnderway: false, at: 0 };

  /** Neither silence nor a server in trouble is an answer; a refusal is one. */
  const isAnswer = (status) => Boolean(status) && status < 500 && status !== 408 && status !== 429;

  /** Asked again more and more seldom; where no answer comes at all, nothing takes the place of what may be kept. */
  function mayAsk(item, now) {
    if (asked.item !== item) return true;
    const waitMs = Math.min(ASK_SELDOM_MS, ASK_AGAIN_MS * 2 ** (asked.tries - 1));
    return !asked.isUnderway && asked.tries < TRIES && now - asked.at >= waitMs;
  }

  async function learn(item) {
    const ask = { item, tries: asked.item === item ? asked.tries + 1 : 1, isUnderway: true, at: Date.now() };
    asked = ask;
    const answer = await fetch(`${partyline.base}progress?item=${item}`, { headers: { 'HX-Request': 'true' } }).catch(() => null);
    const stopped = answer?.status === 200 ? await answer.json().catch(() => null) : null;
    Object.assign(ask, { isUnderway: false, at: Date.now() });
    if (!isAnswer(answer?.status) || item !== room().item) return;
    known.item = item;
    if (stopped) offer(item, stopped.position_ms);
  }

  function offer(item, positionMs) {
    const isRefused = refused.item === item && Math.abs(refused.positionMs - positionMs) < NEAR_MS;
    if (player.alone || item !== room().item || isRefused || room().player === 'embed' || player.isLive) return;
    // Also ahead: what one began another day the room may have started over.
    if (Math.abs(player.roomMs() - positionMs) < MISSED_MS) return;
    offered = { item, positionMs, isAhead: positionMs > player.roomMs(), followedMs: 0 };
    show();
  }

  /** Not once the room has come there by itself, or was taken there; nor once this person has long gone on with it. */
  function isOpen(one, item, roomMs) {
    const apartMs = one.positionMs - roomMs;
    return one.item === item && one.followedMs < SETTLED_MS && Math.abs(apartMs) > NEAR_MS && apartMs > 0 === one.isAhead;
  }

  function dropPassed() {
    if (offered && !isOpen(offered, room().item, player.roomMs())) offered = null;
  }

  /** Whoever came later than they left off, and whoever was away for a while meanwhile. */
  function lookForGaps() {
    const { item } = room();
    if (player.alone || !item) return;
    if (item !== known.item && partyline.clock.isLocked && mayAsk(item, Date.now())) learn(item);
    if (offered) return;
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
    last = NOWHERE;
    player.rejoin();
    partyline.say?.('Back with the room');
    show();
  });
  byId('alone-close').addEventListener('click', () => {
    if (offered) refused = offered;
    offered = null;
    show();
  });

  // In a room no answer has a place of its own on the page: what is to be forgotten goes here.
  partyline.on('command', ({ request }, result) => {
    const row = result === 'done' && request.form?.matches('[action$="/removal"]') && request.form.closest('.begun__row');
    if (!row) return;
    const heir = row.nextElementSibling ?? row.previousElementSibling;
    // The answer comes later: whoever is at something else by then stays there.
    const isHere = row.contains(document.activeElement) || document.activeElement === document.body;
    if (heir) row.remove(); else row.closest('.begun').remove();
    if (!isHere) return;
    const rest = byId('tabs').offsetParent ? byId('tabs').querySelector('[aria-current]') : document.querySelector('.line__scroll');
    (heir?.querySelector('.btn--icon') ?? rest)?.focus({ preventScroll: true });
  });

  setInterval(() => {
    lookForGaps();
    save();
    if (!box.hidden) show();
  }, LOOK_MS);
  document.addEventListener('partyline:playback', () => {
    finish();
    show();
  });
  partyline.resume = { followedMs, reachesEnd, isOpen, isAnswer };
  // Nothing can be said about gaps before the clock is known.
  const first = setInterval(() => {
    if (!partyline.clock.isLocked) return;
    clearInterval(first);
    if (box.dataset.stoppedMs) offer(box.dataset.item, Number(box.dataset.stoppedMs));
  }, 100);
})();
