/*
 * A party in virtual time: seeded chance, networks with delay and loss, machines that sleep, and media elements
 * with the habits measured in Chromium (start latency, inexact seeks, a price for every change of speed).
 */
(() => {
  const { ClockProbe, Follower } = window.partyline.timing;
  const EPOCH = 1.8e12;

  function chance(seed) {
    let a = seed >>> 0;
    const next = () => {
      a = (a + 0x6d2b79f5) | 0;
      let t = Math.imul(a ^ (a >>> 15), 1 | a);
      t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
      return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
    };
    return { next, between: (low, high) => low + next() * (high - low) };
  }

  class World {
    constructor(seed) { Object.assign(this, { t: 0, queue: [], order: 0, luck: chance(seed), members: [] }); }
    at(t, fn) {
      const entry = { t: Math.max(t, this.t), order: this.order++, fn };
      let low = 0, high = this.queue.length;
      while (low < high) {
        const middle = (low + high) >> 1, other = this.queue[middle];
        if (other.t < entry.t || (other.t === entry.t && other.order < entry.order)) low = middle + 1; else high = middle;
      }
      this.queue.splice(low, 0, entry);
    }
    run(until) {
      while (this.queue.length && this.queue[0].t <= until) {
        const { t, fn } = this.queue.shift();
        this.t = t;
        fn();
      }
      this.t = until;
    }
    get serverTime() { return EPOCH + this.t; }
  }

  /* --- networks: one way in ms; order is kept, and loss shows as a stall, as it does over TCP --- */

  const profiles = {
    lan: (luck) => ({ out: () => luck.between(0.2, 0.9), back: () => luck.between(0.2, 0.9), loss: 0 }),
    wide: (luck) => ({ out: () => luck.between(35, 65), back: () => luck.between(35, 65), loss: 0 }),
    lossy: (luck) => ({ out: () => luck.between(35, 65), back: () => luck.between(35, 65), loss: 0.01 }),
    lopsided: (luck) => ({
      out: () => luck.between(20, 26),
      back: () => 20 + (luck.next() < 0.3 ? luck.between(20, 120) : luck.between(0, 12)),
      loss: 0,
    }),
  };

  class Link {
    constructor(world, profile) { Object.assign(this, { world, ...profiles[profile](world.luck), isUp: true }); this.last = {}; }
    carry(way, fn) {
      const { world } = this, stall = world.luck.next() < this.loss ? world.luck.between(200, 400) : 0;
      const at = Math.max(world.t + this[way]() + stall, this.last[way] ?? 0);
      this.last[way] = at;
      world.at(at, () => this.isUp && fn());
    }
  }

  /* --- a media element --- */

  class Media {
    constructor(world, habits) {
      Object.assign(this, { world, listeners: {}, paused: true, ended: false, seeking: false, readyState: 0 });
      Object.assign(this, { muted: false, volume: 1, src: '', defaultPlaybackRate: 1, isFrozen: false });
      Object.assign(this, { latency: 82, seekMs: 3, loadMs: 60, cost: 22, ppm: 0, durationMs: 240000,
        mayPlay: true, mayPlayMuted: true, canChangeSpeed: true, plays: 0, places: 0, bufferMs: 0 }, habits);
      Object.assign(this, { base: 0, since: 0, speed: 1, loads: 0, seekId: 0 });
    }
    addEventListener(type, fn) { (this.listeners[type] ??= []).push(fn); }
    emit(type) { for (const fn of this.listeners[type] ?? []) fn(); }
    getAttribute() { return null; }
    removeAttribute() { this.src = ''; }

    load() {
      const mine = ++this.loads;
      Object.assign(this, { readyState: 0, paused: true, ended: false, seeking: false, base: 0 });
      if (this.src) this.world.at(this.world.t + this.loadMs, () => {
        if (mine !== this.loads) return;
        this.readyState = 1;
        this.emit('loadedmetadata');
        this.world.at(this.world.t + 5, () => { this.readyState = 4; this.emit('canplay'); });
      });
    }
    moved() {
      if (this.paused || this.isFrozen) return 0;
      return Math.max(0, this.world.t - this.since) * this.speed * (1 + this.ppm / 1e6);
    }
    /** What is heard. */
    get heardMs() { return Math.min(this.durationMs, this.base + this.moved()); }
    /** What the browser says is heard: wrong while the speed is not one. */
    get currentTime() {
      const lie = this.speed === 1 || this.paused ? 0 : -this.world.luck.between(13, 28);
      return (this.heardMs + lie) / 1000;
    }
    rebase(since = this.world.t) { this.base = this.heardMs; this.since = since; }
    set currentTime(seconds) {
      const { world } = this, mine = ++this.seekId, isPlaying = !this.paused;
      this.places += 1;
      Object.assign(this, { base: seconds * 1000, seeking: true, ended: false });
      this.since = world.t + this.seekMs + this.bufferMs + (isPlaying ? this.latency + world.luck.between(-9, 9) : 0);
      if (this.bufferMs) this.readyState = 2;
      world.at(world.t + this.seekMs + this.bufferMs, () => {
        if (mine !== this.seekId) return;
        this.seeking = false;
        if (!this.isFrozen) this.readyState = Math.max(this.readyState, 4);
        this.bufferMs = 0;
        this.emit('seeked');
        this.emit('canplay');
      });
    }
    get playbackRate() { return this.speed; }
    set playbackRate(speed) {
      if (!this.canChangeSpeed || speed === this.speed) return;
      this.rebase(Math.max(this.since, this.world.t));
      if (this.speed === 1 && !this.paused) this.base -= this.cost + this.world.luck.between(-4, 4);
      this.speed = speed;
    }
    play() {
      const isAllowed = this.mayPlay || (this.mayPlayMuted && this.muted);
      if (isAllowed && this.paused) {
        this.plays += 1;
        Object.assign(this, { paused: false, since: this.world.t + this.latency + this.world.luck.between(-1, 1) });
      }
      const error = { name: 'NotAllowedError' };
      return { then: (done, failed) => (isAllowed ? done() : failed(error)), catch() {} };
    }
    pause() { if (!this.paused) { this.rebase(); this.paused = true; } }
    /** The network gives nothing for so long. */
    stall(ms) {
      this.rebase();
      Object.assign(this, { isFrozen: true, readyState: 2 });
      this.emit('waiting');
      this.world.at(this.world.t + ms, () => {
        Object.assign(this, { isFrozen: false, readyState: 4, since: this.world.t });
        this.emit('playing');
      });
    }
  }

  /* --- one machine --- */

  class Member {
    constructor(world, { network = 'lan', ppm = 0, habits = {}, memory = {}, hasPlayer = true } = {}) {
      Object.assign(this, { world, ppm, link: new Link(world, network), asleep: false, slept: 0, startedAt: world.t });
      Object.assign(this, { told: [], joinedAt: null, states: [] });
      this.time = {
        now: () => (world.t - this.slept) * (1 + ppm / 1e6) + 5000,
        wall: () => 1.7e12 + world.t,
        after: (ms, fn) => world.at(world.t + Math.max(0, ms) + world.luck.between(0, 2), () => this.awake(fn)),
        exactly: (ms, fn) => world.at(world.t + Math.max(0, ms), () => this.awake(fn)),
      };
      this.probe = new ClockProbe((message) => this.send(message), this.time);
      const { probe, time } = this;
      this.clock = { now: () => probe.filter.serverTime(time.now()), get isLocked() { return probe.filter.isLocked; } };
      if (hasPlayer) this.follow(habits, memory);
      world.members.push(this);
      probe.start();
    }
    follow(habits, memory) {
      this.media = new Media(this.world, habits);
      const onChange = ({ state }) => {
        if (state === 'in step') this.joinedAt ??= this.world.t - this.startedAt;
        if (this.states.at(-1) !== state) this.states.push(state);
      };
      this.player = new Follower({ media: this.media, clock: this.clock, time: this.time, memory, onChange,
        onStruggle: (band) => this.told.push(band) });
    }
    /** A sleeping machine runs its timers when it wakes. */
    awake(fn) { if (this.asleep) this.pending.push(fn); else fn(); }
    sleep(ms) {
      Object.assign(this, { asleep: true, pending: [] });
      this.media?.pause();
      this.world.at(this.world.t + ms, () => {
        this.asleep = false;
        this.slept += ms;
        if (this.media) this.media.play();
        for (const fn of this.pending) fn();
      });
    }
    send(message) {
      if (!this.link.isUp) return false;
      this.link.carry('out', () => {
        const r = this.world.serverTime + (this.world.jump ?? 0);
        this.link.carry('back', () => this.awake(() => this.probe.receive({ id: message.id, r, s: r })));
      });
      return true;
    }
    /** How wrong this machine's idea of server time is, in ms. */
    get clockError() { return this.clock.now() - this.world.serverTime - (this.world.jump ?? 0); }
  }

  const quantile = (values, q) => [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))];
  const anchor = (world, change = {}) => ({
    item: '1', state: 'playing', positionMs: 0, atMs: world.serverTime, rate: 1, version: 1, durationMs: 240000,
    src: '/a.mp3', ...change,
  });
  window.sim = { World, Member, quantile, anchor, EPOCH };
})();
