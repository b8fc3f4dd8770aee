/*
 * Chooses what plays the room's track, ties it to the room's anchor (#playback), gives it this device's own sound
 * settings, and says how far this screen is off (#sync-badge). `partyline.player` tells tests, the bench and the page.
 *
 * A player is registered under the names that #playback's data-player may have: partyline.players.register('youtube',
 * make). One is on at a time; the one before is destroyed first. Names with the same `make` share one player.
 *
 * make(host) is given
 *   frame                    an empty element over the stage's picture, outside every swap; the player fills it
 *   media                    the one native element; only the native player touches it
 *   clock                    now() in server time, isLocked
 *   time                     now(), after(ms, fn), exactly(ms, fn)
 *   storage                  get(key, otherwise), set(key, value): what this device remembers
 *   onChange(player)         to be called when state, drift, isBlocked, isHeld, words or problem changed
 *   onStruggle(bandMs)       tells the person that this device now keeps to a wider band
 *   tellLength(item, ms)     tells the room how long a track is that has no length yet: at once who may, others later
 *   onForm()                 to be called when another form of the same track plays, which may be of another loudness
 * and returns
 *   follow(anchor)           at once and with every new anchor, also one that says the same: { item, state (playing,
 *                            paused, idle), src, opus, isLifted (opus is to be preferred), mime, player, provider,
 *                            reference, isVideo, positionMs, atMs, rate, version, durationMs (Infinity when it is not
 *                            known, or live) }
 *   destroy()                stop, leave the frame empty, call nothing afterwards
 *   setVolume(0..1)          the person's volume times the track's gain
 *   setMuted(isMuted)        the person's own choice
 *   setSpeaker(ms)           how late this device's speaker is
 *   tap()                    called inside a tap on the sound chip: sound on, and into step again
 *   state                    idle, joining, aligning, in step, off, paused, ended, buffering, held, failed; a player may have
 *                            more of its own, which the badge shows as they are
 *   drift                    ms ahead (positive) or behind; NaN while unknown
 *   isBlocked, isHeld        muted by the browser; waits for a tap: the sound chip is shown
 * and, where it has them,
 *   words                    what the badge says instead ('' for nothing, null for the usual)
 *   problem                  { text, url } while it cannot play: why, and where the track can be opened
 *   playsOpus(anchor)        whether it plays that anchor's opus, or would
 *   wantedAt(serverMs), seeks, stalls, starts, rate, band
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const media = byId('media'), frame = byId('player-frame');
  if (!media || !partyline?.clock) return;
  const SPIN_MS = 4, KEPT = 240, SHOWN_OF = 8, PRELOAD_MS = 30000, PRELOAD_EVERY_MS = 3000, LEAST_LENGTH_MS = 1000;
  const ALONE_LEAD_MS = 300, WORD_AFTER_MS = 5_000, WORD_AGAIN_MS = 60_000;

  /** What this device remembers; a browser that forbids storage just forgets. */
  const storage = {
    get(key, otherwise) {
      try { return JSON.parse(localStorage.getItem(`partyline.${key}`)) ?? otherwise; } catch { return otherwise; }
    },
    set(key, value) {
      try { localStorage.setItem(`partyline.${key}`, JSON.stringify(value)); } catch { /* private window */ }
    },
  };

  const time = {
    now: () => performance.now(),
    after: (ms, fn) => setTimeout(fn, ms),
    /** Timers come some milliseconds late; the last few are waited out. */
    exactly(ms, fn) {
      const at = performance.now() + ms;
      setTimeout(() => {
        while (performance.now() < at);
        fn();
      }, Math.max(0, ms - SPIN_MS));
    },
  };

  /* --- which player --- */

  const NOBODY = {
    state: 'idle', drift: NaN, isBlocked: false, isHeld: false,
    follow() {}, destroy() {}, setVolume() {}, setMuted() {}, setSpeaker() {}, tap() {},
  };
  const makers = new Map(), samples = [];
  let anchor = readAnchor(), alone = null, on = NOBODY, onMake = null, firstInStepAt = null, aloneTurns = 0;

  function readAnchor() {
    const data = byId('playback')?.dataset ?? {};
    return {
      item: data.item ?? '', state: data.state ?? 'idle', version: Number(data.version),
      player: data.player || 'file', provider: data.provider ?? '', reference: data.reference ?? '',
      src: data.src ?? '', opus: data.opus ?? '', mime: data.mime ?? '', isVideo: data.video === 'true',
      isLifted: data.lifted === 'true', gain: gainOf(data.gain), opusGain: gainOf(data.opusGain),
      positionMs: Number(data.positionMs), atMs: Number(data.atMs), rate: Number(data.rate) || 1,
      durationMs: Number(data.durationMs) || Infinity,
    };
  }

  /** A track's gain is what makes it as loud as the others; none is as it is, and nought is nought. */
  function gainOf(written) {
    const gain = Number(written ?? 1);
    return Number.isFinite(gain) ? gain : 1;
  }

  /** Nothing on is the native player's business too: it stops. */
  function choose() {
    const make = makers.get(anchor.item ? anchor.player : 'file') ?? null;
    if (make === onMake) return;
    on.destroy();
    [on, onMake] = [NOBODY, make];
    if (!make) { changed(on); return; }
    const isOn = () => make === onMake;
    on = make({
      frame, media, time, storage, tellLength, onForm: applySound,
      clock: partyline.clock,
      onChange: (player) => { if (isOn()) changed(player); },
      onStruggle: (band) => partyline.toast?.(`This device struggles to keep time. It now stays within ${band} ms.`),
    });
  }

  /** Whoever watches alone follows an anchor of their own, also when the room goes on to something else. */
  function followRoom() {
    anchor = alone ?? readAnchor();
    choose();
    applySound();
    on.follow(anchor);
  }

  function goAlone(changes) {
    const room = readAnchor();
    alone = { ...(alone ?? room), ...changes, rate: 1, atMs: partyline.clock.now() + ALONE_LEAD_MS, version: `alone ${aloneTurns += 1}` };
    followRoom();
  }

  partyline.players = {
    register(name, make) {
      makers.set(name, make);
      if (name === anchor.player || !anchor.item) followRoom();
    },
  };

  /** What browsers report before they know is now and then a tiny number, or no end at all. */
  const told = new Set();
  let known = { item: '', ms: 0 }, wordTimer = 0;
  function tellLength(item, ms) {
    if (item !== anchor.item || Number.isFinite(anchor.durationMs) || !Number.isFinite(ms) || ms < LEAST_LENGTH_MS) return;
    const stage = byId('now-playing')?.dataset ?? {}, data = byId('playback')?.dataset ?? {};
    if (data.canControl !== 'true' && !(stage.by && stage.by === byId('mine')?.dataset.member)) {
      if (known.item !== item) {
        clearTimeout(wordTimer);
        wordTimer = setTimeout(sayLength, WORD_AFTER_MS * (1 + Math.random()));
      }
      known = { item, ms };
      return;
    }
    if (told.has(item)) return;
    told.add(item);
    const values = { item, duration_ms: Math.round(ms) };
    window.htmx?.ajax('POST', `${partyline.base}length`, { source: partyline.link, target: partyline.link, swap: 'none', values });
  }

  /**
   * Where nobody whose word counts by itself has spoken, the others do: whether theirs counts, the room decides each
   * time anew, and a refusal is nothing to show.
   */
  function sayLength() {
    const { item, durationMs } = readAnchor();
    if (item !== known.item || Number.isFinite(durationMs)) return;
    const body = new URLSearchParams({ item, duration_ms: Math.round(known.ms) });
    fetch(`${partyline.base}length`, { method: 'POST', body, headers: { 'HX-Request': 'true' } }).catch(() => {});
    wordTimer = setTimeout(sayLength, WORD_AGAIN_MS);
  }

  /* --- what comes next --- */

  const wantedAt = (t) => (on.wantedAt ? on.wantedAt(t) : anchor.positionMs + (anchor.state === 'playing' ? Math.max(0, t - anchor.atMs) * anchor.rate : 0));

  /**
   * The head of the line is fetched shortly before it plays, so that the change finds it in the browser's cache. Its row
   * alone says where it is, and its raised form where there is one.
   */
  const ahead = new Audio();
  const canPlayOpus = ahead.canPlayType('audio/ogg; codecs=opus') !== '';
  function preload() {
    if (anchor.state !== 'playing' || anchor.durationMs - wantedAt(partyline.clock.now()) > PRELOAD_MS) return;
    const next = document.querySelector('#queue > [data-src]')?.dataset, src = (canPlayOpus && next?.opus) || next?.src;
    if (src && ahead.getAttribute('src') !== src) Object.assign(ahead, { preload: 'auto', src });
  }

  /* --- how far off --- */

  const slug = (words) => words.replaceAll(' ', '-');
  const shownDrift = () => {
    const last = samples.slice(-SHOWN_OF).map(({ drift }) => Math.abs(drift)).sort((a, b) => a - b);
    return Math.round(last[last.length >> 1] ?? 0);
  };

  function words() {
    const { state, isBlocked } = on;
    if (alone) return 'watching alone';
    if (state === 'idle' || state === 'ended') return '';
    if (state === 'failed') return 'can’t play this here';
    if (state === 'held') return 'paused on this device';
    if (isBlocked && state === 'in step') return 'muted by the browser';
    if (on.words != null) return on.words;
    if (state === 'off') return `off by ${Math.round(Math.abs(on.drift))} ms`;
    return state === 'in step' ? `in step · ${shownDrift()} ms` : state;
  }

  /** Where there is little room, the style sheet leaves out what stands before the number. */
  function sayState(badge, text) {
    const [what, number] = text.split(/(?<= · )/);
    if (!number) { if (badge.textContent !== text) badge.textContent = text; return; }
    if (!badge.firstElementChild) badge.replaceChildren(Object.assign(document.createElement('span'), { className: 'sync__what', textContent: what }), number);
    else if (badge.lastChild.data !== number) badge.lastChild.data = number;
  }

  function changed({ state, drift, isBlocked, isHeld }) {
    if ((state === 'in step' || state === 'off') && Number.isFinite(drift)) {
      samples.push({ at: performance.timeOrigin + performance.now(), drift });
      samples.splice(0, samples.length - KEPT);
    }
    if (state === 'in step') firstInStepAt ??= performance.now();
    const badge = byId('sync-badge'), chip = byId('sound-chip');
    if (badge) {
      sayState(badge, words());
      badge.dataset.state = isBlocked && state === 'in step' ? 'muted' : slug(state);
    }
    if (chip) chip.hidden = !(isBlocked || isHeld);
    document.dispatchEvent(new CustomEvent('partyline:player'));
  }

  /* --- the sound of this device --- */

  const sound = { volume: 100, isMuted: false, speakerMs: 0, ...storage.get('sound', {}) };

  let ducking = 1;
  function volumeOf(percent) {
    const gain = on.playsOpus?.(anchor) ? anchor.opusGain : anchor.gain;
    return Math.max(0, Math.min(1, percent / 100 * ducking * gain));
  }

  function applySound() {
    on.setVolume(volumeOf(sound.volume));
    on.setMuted(sound.isMuted);
    on.setSpeaker(sound.speakerMs);
  }

  function showSound() {
    const volume = byId('volume'), mute = byId('mute'), delay = byId('delay');
    if (volume) volume.value = sound.volume;
    if (mute) mute.checked = sound.isMuted;
    if (delay) delay.value = sound.speakerMs;
    sayValues();
  }

  function sayValues() {
    const volume = byId('volume-words'), delay = byId('delay-words');
    if (volume) volume.value = `${byId('volume').value} %`;
    if (delay) delay.value = `${byId('delay').value} ms`;
  }

  const changes = {
    volume: (input) => { sound.volume = Number(input.value); },
    mute: (input) => { sound.isMuted = input.checked; },
    delay: (input) => { sound.speakerMs = Number(input.value); },
  };
  document.addEventListener('input', ({ target }) => {
    if (target.id === 'volume') on.setVolume(volumeOf(Number(target.value)));
    if (target.id in changes) sayValues();
  });
  document.addEventListener('change', ({ target }) => {
    if (!changes[target.id]) return;
    changes[target.id](target);
    storage.set('sound', sound);
    applySound();
    showSound();
  });
  document.addEventListener('click', (event) => { if (event.target.closest('#sound-chip')) on.tap(); });

  partyline.player = {
    media, samples,
    tap: () => on.tap(),
    /** Quieter while something else is listened to beside it: 0 to 1. */
    duck(factor) {
      ducking = factor;
      applySound();
    },
    driftMs: () => on.drift,
    wantedMs: () => wantedAt(partyline.clock.now()),
    /** Go on by oneself from a place in what plays, or stand still there; the room neither hears nor minds. */
    watchAlone: (positionMs) => goAlone({ positionMs, state: 'playing' }),
    pauseAlone: () => goAlone({ positionMs: wantedAt(partyline.clock.now()), state: 'paused' }),
    rejoin() {
      alone = null;
      followRoom();
    },
    get alone() { return alone; },
    get item() { return anchor.item; },
    get durationMs() { return anchor.durationMs; },
    /** Where the room stands now, whoever watches alone. */
    roomMs() {
      const room = readAnchor(), moved = room.state === 'playing' ? Math.max(0, partyline.clock.now() - room.atMs) * room.rate : 0;
      return room.positionMs + moved;
    },
    get name() { return anchor.player; },
    get isVideo() { return anchor.isVideo; },
    get state() { return on.state; },
    get isBlocked() { return on.isBlocked; },
    get isLive() { return Boolean(on.isLive); },
    get problem() { return on.problem ?? null; },
    get seeks() { return on.seeks ?? 0; },
    get stalls() { return on.stalls ?? 0; },
    get starts() { return on.starts ?? 0; },
    get rate() { return on.rate ?? media.playbackRate; },
    get band() { return on.band; },
    get learned() { return on.knows; },
    get firstInStepAt() { return firstInStepAt; },
  };

  showSound();
  document.addEventListener('partyline:playback', followRoom);
  setInterval(preload, PRELOAD_EVERY_MS);
})();
