/*
 * Ties the room's anchor (#playback), the media element (#media), the clock and this device's own sound settings
 * together, and says how far this screen is off (#sync-badge). `partyline.player` tells tests and the bench.
 */
(() => {
  const { partyline } = window;
  const byId = (id) => document.getElementById(id);
  const media = byId('media');
  if (!media || !partyline?.clock) return;
  const SPIN_MS = 4, KEPT = 240, SHOWN_OF = 8, PRELOAD_MS = 30000, PRELOAD_EVERY_MS = 3000;

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

  const samples = [];
  let firstInStepAt = null, learned = '';
  const follower = new partyline.timing.Follower({
    media, time,
    clock: partyline.clock,
    memory: storage.get('device', {}),
    maxNudge: () => (media.videoWidth ? 0.03 : 0.01),
    onChange: changed,
    onStruggle: (band) => partyline.toast?.(`This device struggles to keep time. It now stays within ${band} ms.`),
  });

  /* --- the anchor --- */

  function readAnchor() {
    const data = byId('playback')?.dataset ?? {};
    return {
      item: data.item ?? '', state: data.state ?? 'idle', src: data.src ?? '', version: Number(data.version),
      positionMs: Number(data.positionMs), atMs: Number(data.atMs), rate: Number(data.rate) || 1,
      durationMs: Number(data.durationMs) || Infinity,
    };
  }

  const ahead = new Audio();
  const followRoom = () => follower.follow(readAnchor());

  /** The head of the line is fetched shortly before it plays, so that the change finds it in the browser's cache. */
  function preload() {
    const { state, durationMs } = readAnchor();
    if (state !== 'playing' || durationMs - follower.wantedAt(partyline.clock.now()) > PRELOAD_MS) return;
    const next = document.querySelector('#queue > [data-src]')?.dataset.src;
    if (next && ahead.getAttribute('src') !== next) Object.assign(ahead, { preload: 'auto', src: next });
  }

  /* --- how far off --- */

  const slug = (words) => words.replaceAll(' ', '-');
  const shownDrift = () => {
    const last = samples.slice(-SHOWN_OF).map(({ drift }) => Math.abs(drift)).sort((a, b) => a - b);
    return Math.round(last[last.length >> 1] ?? 0);
  };

  function words() {
    const { state, isBlocked } = follower;
    if (state === 'idle' || state === 'ended') return '';
    if (state === 'failed') return 'can’t play this here';
    if (state === 'held') return 'paused on this device';
    if (state === 'off') return `off by ${Math.round(Math.abs(follower.drift))} ms`;
    if (isBlocked && state === 'in step') return 'muted by the browser';
    return state === 'in step' ? `in step · ${shownDrift()} ms` : state;
  }

  /** Where there is little room, the style sheet leaves out what stands before the number. */
  function sayState(badge, text) {
    const [what, number] = text.split(/(?<= · )/);
    if (!number) { badge.textContent = text; return; }
    if (!badge.firstElementChild) badge.replaceChildren(Object.assign(document.createElement('span'), { className: 'sync__what', textContent: what }), number);
    else if (badge.lastChild.data !== number) badge.lastChild.data = number;
  }

  function changed({ state, drift, isBlocked, isHeld, memory }) {
    if (state === 'in step' || state === 'off') {
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
    const knowledge = JSON.stringify(memory);
    if (knowledge !== learned && state === 'in step') storage.set('device', memory);
    learned = knowledge;
  }

  /* --- the sound of this device --- */

  const sound = { volume: 100, isMuted: false, speakerMs: 0, ...storage.get('sound', {}) };

  function applySound() {
    media.volume = Math.max(0, Math.min(100, sound.volume)) / 100;
    follower.setMuted(sound.isMuted);
    follower.setSpeaker(sound.speakerMs);
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
    if (target.id === 'volume') media.volume = Number(target.value) / 100;
    if (target.id in changes) sayValues();
  });
  document.addEventListener('change', ({ target }) => {
    if (!changes[target.id]) return;
    changes[target.id](target);
    storage.set('sound', sound);
    applySound();
  });
  document.addEventListener('click', (event) => { if (event.target.closest('#sound-chip')) follower.tap(); });

  partyline.player = {
    media, samples,
    tap: () => follower.tap(),
    driftMs: () => follower.drift,
    wantedMs: () => follower.wantedAt(partyline.clock.now()),
    get state() { return follower.state; },
    get isBlocked() { return follower.isBlocked; },
    get seeks() { return follower.seeks; },
    get stalls() { return follower.stalls; },
    get starts() { return follower.starts; },
    get rate() { return media.playbackRate; },
    get band() { return follower.band; },
    get firstInStepAt() { return firstInStepAt; },
    get learned() { return { latencyMs: follower.latencyMs, nudgeCostMs: follower.memory.nudgeCostMs }; },
  };

  applySound();
  document.addEventListener('partyline:playback', followRoom);
  followRoom();
  setInterval(preload, PRELOAD_EVERY_MS);
})();
