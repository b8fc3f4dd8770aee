/*
 * How this screen is: whether somebody is at it, and how its player keeps up, told to the room with the beat. Coming
 * and going of others is told in one polite line every few seconds, and signs float over the track.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  if (!partyline.link) return;
  const AWAY_MS = 300_000, LOOK_MS = 2000, AGAIN_MS = 30_000, GATHER_MS = 4000;
  const TAP_MS = 400, TAPS_MOST = 20, FLOATS_MOST = 30, FLOATS_EACH = 6, FLOAT_MS = 2600;

  /* --- this screen --- */

  let touchedAt = Date.now(), hiddenAt = document.hidden ? Date.now() : 0, told = '', toldAt = 0;
  const isIdle = () => Date.now() - touchedAt > AWAY_MS || (hiddenAt > 0 && Date.now() - hiddenAt > AWAY_MS);

  function step() {
    const { player } = partyline;
    // A player that cannot be steered cannot be out of step either.
    if (!player || ['idle', 'paused', 'ended', 'by hand', undefined].includes(player.state)) return '';
    if (player.alone) return 'alone';
    if (['in step', 'live'].includes(player.state)) return player.isBlocked ? 'muted' : 'in_step';
    if (player.state === 'in an ad') return 'in_ad';
    return ['held', 'failed', 'buffering'].includes(player.state) ? 'waiting' : 'adjusting';
  }

  function tell(isForced = false) {
    const look = { t: 'beat', idle: isIdle(), step: step() }, text = JSON.stringify(look);
    if (!isForced && text === told && Date.now() - toldAt < AGAIN_MS) return;
    if (partyline.send(look)) { told = text; toldAt = Date.now(); }
  }

  function touched() {
    const wasIdle = isIdle();
    touchedAt = Date.now();
    if (wasIdle && !isIdle()) tell();
  }
  for (const type of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'focus']) {
    addEventListener(type, touched, { passive: true, capture: true });
  }
  document.addEventListener('visibilitychange', () => {
    hiddenAt = document.hidden ? Date.now() : 0;
    if (!document.hidden) touched();
  });
  partyline.on('open', () => tell(true));
  setInterval(tell, LOOK_MS);

  /* --- the others --- */

  const row = (el) => el.id?.startsWith('person-');
  const people = () => new Map([...document.querySelectorAll('#people .person')].filter(row)
    .map((el) => [el.id, el.querySelector('bdi')?.textContent ?? '']));
  let known = people(), came = new Map(), went = new Map(), timer = 0;

  function look() {
    const now = people();
    for (const [id, name] of now) if (!known.has(id) && !went.delete(id)) came.set(id, name);
    for (const [id, name] of known) if (!now.has(id) && !came.delete(id)) went.set(id, name);
    known = now;
    if ((came.size || went.size) && !timer) timer = setTimeout(sayThem, GATHER_MS);
  }

  const names = (some) => {
    const all = [...some.values()];
    return all.length > 3 ? `${all.slice(0, 2).join(', ')} and ${all.length - 2} more` : all.join(', ').replace(/, ([^,]*)$/, ' and $1');
  };

  function sayThem() {
    timer = 0;
    const lines = [];
    if (came.size) lines.push(`${names(came)} ${came.size === 1 ? 'is' : 'are'} here`);
    if (went.size) lines.push(`${names(went)} left`);
    came = new Map();
    went = new Map();
    if (lines.length) partyline.say(lines.join('. '));
  }
  partyline.on('after', look);

  /* --- signs that float over the track --- */

  let taps = new Map(), tapTimer = 0, own = new Map();
  document.addEventListener('click', ({ target }) => {
    const emoji = target.closest?.('[data-tap]')?.dataset.tap;
    if (!emoji) return;
    taps.set(emoji, Math.min(TAPS_MOST, (taps.get(emoji) ?? 0) + 1));
    float(emoji);
    tapTimer ||= setTimeout(sendTaps, TAP_MS);
  });
  async function sendTaps() {
    tapTimer = 0;
    const [emoji, count] = [...taps][0] ?? [];
    if (!emoji) return;
    taps.delete(emoji);
    if (taps.size) tapTimer = setTimeout(sendTaps, TAP_MS);
    // One's own were seen at once.
    own.set(emoji, (own.get(emoji) ?? 0) + count);
    await htmx.ajax('POST', `${partyline.base}taps`, { source: byId('taps'), target: partyline.link, swap: 'none', values: { emoji, count } });
  }
  partyline.on('taps', ({ e }) => {
    for (const [emoji, count] of Object.entries(e)) {
      const mine = Math.min(count, own.get(emoji) ?? 0);
      own.set(emoji, (own.get(emoji) ?? 0) - mine);
      for (let left = Math.min(FLOATS_EACH, count - mine); left > 0; left -= 1) setTimeout(() => float(emoji), Math.random() * 250);
    }
  });
  function float(emoji) {
    const sky = byId('floats');
    if (!sky || document.hidden || sky.childElementCount >= FLOATS_MOST) return;
    const one = document.createElement('span');
    one.className = `float float--${1 + Math.floor(Math.random() * 8)}`;
    one.textContent = emoji;
    sky.append(one);
    setTimeout(() => one.remove(), FLOAT_MS);
  }

  // Whoever leads no longer has no business with it.
  partyline.on('after', () => {
    const steps = byId('steps');
    if (steps && !['host', 'cohost'].includes(byId('mine')?.dataset.role)) steps.replaceChildren();
  });
})();
