/*
 * The server's clock, learned by questions over the room's socket: `partyline.clock`.
 * ClockFilter is pure, ClockProbe asks; both get their time from outside, so that a simulation can drive them.
 *
 * Each question gives the four instants of NTP (RFC 5905, section 8): c sent, r received, s answered, d back.
 * The offset (server minus us) lies between s - d and r - c; offset = ((r - c) + (s - d)) / 2, delay = (d - c) - (s - r).
 * The fastest way out and the fastest way back need not belong to the same question, so the two limits are
 * taken separately over the last questions: the middle of the narrowest interval beats any single answer.
 */
(() => {
  const KEPT = 16, FORGET_MS = 120000, DRIFT_PPM = 20;
  const LOCK_SAMPLES = 4, LOCK_ERROR_MS = 5;
  const BURST = 8, APART_MS = 40, PAIR_EVERY_MS = 5000, LOST_MS = 10000;
  const JUMP_MS = 500, ASLEEP_MS = 5000;
  const SLEW = 0.02, STEP_MS = 100;

  class ClockFilter {
    constructor() { this.forget(); }

    forget() {
      this.samples = [];
      this.target = null;
      this.shown = null;
      this.shownAt = 0;
      this.last = -Infinity;
      this.isLocked = false;
    }

    /** Take one answer. An answer that contradicts the others means a clock jumped: the others are forgotten. */
    add({ c, r, s, d }) {
      const sample = { out: r - c, back: s - d, delay: (d - c) - (s - r), at: d };
      if (![sample.out, sample.back].every(Number.isFinite) || sample.delay < 0) return;
      this.samples = [...this.samples, sample].filter(({ at }) => d - at < FORGET_MS).slice(-KEPT);
      let [low, high] = this.limits(d);
      if (low > high) {
        this.samples = [sample];
        [low, high] = this.limits(d);
      }
      const before = this.shownOffset(d);
      this.target = (low + high) / 2;
      const isRough = !this.isLocked || before === null || Math.abs(this.target - before) > STEP_MS;
      this.shown = isRough ? this.target : before;
      this.shownAt = d;
      if (isRough) this.last = -Infinity;
      this.isLocked ||= this.samples.length >= LOCK_SAMPLES || (high - low) / 2 <= LOCK_ERROR_MS;
    }

    /** The interval the offset must lie in, older answers widened by what two crystals may have drifted. */
    limits(at) {
      let low = -Infinity, high = Infinity;
      for (const { out, back, at: then } of this.samples) {
        const slack = (at - then) * DRIFT_PPM / 1e6;
        low = Math.max(low, back - slack);
        high = Math.min(high, out + slack);
      }
      return [low, high];
    }

    /** Moves to the newest estimate by at most 2 %, so that nobody sees the time jump or run backwards. */
    shownOffset(at) {
      if (this.shown === null) return null;
      const room = Math.max(0, at - this.shownAt) * SLEW;
      return this.shown + Math.max(-room, Math.min(room, this.target - this.shown));
    }

    serverTime(at) {
      const offset = this.shownOffset(at);
      if (offset === null) return NaN;
      this.last = Math.max(this.last, at + offset);
      return this.last;
    }

    get rtt() { return this.samples.length ? Math.min(...this.samples.map(({ delay }) => delay)) : null; }

    /** How far the four fastest answers disagree with the estimate; never more than half the interval. */
    errorAt(at) {
      if (!this.samples.length) return NaN;
      const [low, high] = this.limits(at);
      const fastest = [...this.samples].sort((a, b) => a.delay - b.delay).slice(0, 4);
      const spread = Math.max(...fastest.map(({ out, back }) => Math.abs((out + back) / 2 - this.target)));
      return Math.min(spread, (high - low) / 2);
    }
  }

  class ClockProbe {
    /** `time` has now(), wall() and after(ms, fn); `send` answers whether the message went out. */
    constructor(send, time) {
      Object.assign(this, { send, time, filter: new ClockFilter(), asked: new Map(), lastId: 0, run: 0 });
      this.delay = null;
      this.tickAt = time.now();
      this.wallAt = time.wall();
    }

    start() {
      this.burst();
      this.tick();
    }

    burst() {
      this.ask(BURST, ++this.run);
      this.nextPairAt = this.time.now() + PAIR_EVERY_MS;
    }

    ask(times, run) {
      if (run !== this.run) return;
      const c = this.time.now(), id = ++this.lastId;
      if (!this.send({ t: 'clock', id, c, rtt: this.delay })) return;
      this.asked.set(id, c);
      if (times > 1) this.time.after(APART_MS, () => this.ask(times - 1, run));
    }

    receive({ id, r, s }) {
      const c = this.asked.get(id), d = this.time.now();
      if (!this.asked.delete(id)) return;
      this.delay = Math.max(0, (d - c) - (s - r));
      this.filter.add({ c, r, s, d });
    }

    /** Once a second: a pair when it is due; after a sleep, everything anew. */
    tick() {
      const now = this.time.now(), wall = this.time.wall();
      const gone = now - this.tickAt, jump = Math.abs(wall - this.wallAt - gone);
      this.tickAt = now;
      this.wallAt = wall;
      for (const [id, c] of this.asked) if (now - c > LOST_MS) this.asked.delete(id);
      if (jump > JUMP_MS) this.wake(true);
      else if (gone > ASLEEP_MS) this.wake(false);
      else if (now >= this.nextPairAt) {
        this.ask(2, ++this.run);
        this.nextPairAt = now + PAIR_EVERY_MS;
      }
      this.time.after(1000, () => this.tick());
    }

    /** The machine slept. When its steady clock stood still meanwhile, what was learned is worthless. */
    wake(hasJumped) {
      if (hasJumped) {
        this.filter.forget();
        this.asked.clear();
      }
      this.burst();
    }
  }

  const { partyline } = window;
  partyline.timing = { ClockFilter, ClockProbe };
  if (!partyline.link) return;

  const time = {
    now: () => performance.now(),
    wall: () => Date.now(),
    after: (ms, fn) => setTimeout(fn, ms),
  };
  const probe = new ClockProbe(partyline.send, time);
  partyline.clock = {
    now: () => probe.filter.serverTime(performance.now()),
    get isLocked() { return probe.filter.isLocked; },
    get offsetErrorMs() { return probe.filter.errorAt(performance.now()); },
    get rtt() { return probe.filter.rtt; },
  };
  partyline.on('open', () => probe.burst());
  partyline.on('clock', (message) => probe.receive(message));
  document.addEventListener('visibilitychange', () => { if (!document.hidden) probe.burst(); });
  probe.start();
})();
