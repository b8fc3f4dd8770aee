/*
 * Keeps one media element where the room's anchor says it should be. Pure: the element, the clock and the timers
 * are given, so a simulation drives it as well as a browser. Nothing here knows the page, and nothing that happens
 * to the element is ever sent to the room.
 *
 * The media is placed while it stands still and started at an exact instant, because a start is repeatable to a
 * millisecond or two (its latency is learned) while a seek of playing media lands anywhere within an audio buffer.
 * Small drifts are corrected by a measured pulse of another speed: while the speed differs, browsers report a
 * position that is off by 10 to 30 ms, so drift is only ever read at normal speed.
 */
(() => {
  const { partyline } = window, { Steering, clamp, median, COOL_DOWN_MS, FINE_TRIES } = partyline.timing;
  const SAMPLE_MS = 250, QUICK_MS = 25, SETTLE_MS = 60, MEDIAN_OF = 3;
  const STILL_MS = 10, MOST_SETTLE_MS = 1000;
  const BAND_MS = 20, INNER_MS = 10, WIDEST_BAND_MS = 160, SEEK_MS = 400;
  const NUDGE_MS = 2000, LONGEST_NUDGE_MS = 5000, SHORTEST_NUDGE_MS = 250;
  const LEAST_NUDGE = 0.002, FIRST_COST_MS = 20, MOST_COST_MS = 50;
  const SLACK_MS = 30, MOST_SLACK_MS = 2000, LATE_MS = 6, END_MS = 40;
  const FIRST_LATENCY_MS = 80, FIRST_SILENT_MS = 45, MOST_LATENCY_MS = 500, LATENCIES_KEPT = 5;
  const LEAST_END_MS = 1000, MOST_DOUBLINGS = 5;
  const HAVE_METADATA = 1, HAVE_FUTURE_DATA = 3;

  const IDLE = { item: '', state: 'idle', positionMs: 0, atMs: 0, rate: 1, version: 0, durationMs: 0, src: '' };

  class Follower extends Steering {
    /**
     * `clock` has now() and isLocked; `time` has now(), after(ms, fn) and exactly(ms, fn); `memory` is what this
     * device has learned; `maxNudge()` 0.01 for music, 0.03 for pictures. `attach(src)` gives the element its media
     * ('' takes it away); `mayRetry()` false when trying again cannot help.
     */
    constructor({ media, clock, time, memory = {}, maxNudge = () => 0.01, onChange = () => {}, onStruggle = () => {}, ...rest }) {
      super({ innerMs: INNER_MS, widestMs: WIDEST_BAND_MS });
      const { attach = (src) => this.attachPlain(src), mayRetry = () => true } = rest;
      Object.assign(this, { media, clock, time, maxNudge, onChange, onStruggle, attach, mayRetry });
      this.memory = { latencies: [], silentLatencies: [], nudgeCostMs: null, ...memory };
      Object.assign(this, { anchor: IDLE, state: 'idle', drift: NaN, speakerMs: 0, isMutedHere: false });
      Object.assign(this, { isBlocked: false, isHeld: false, canNudge: true, seeks: 0, stalls: 0, starts: 0, run: 0, ticks: 0 });
      this.reset();
      for (const type of ['loadedmetadata', 'seeked', 'canplay']) media.addEventListener(type, () => this.prepare());
      media.addEventListener('loadedmetadata', () => this.anchor.state === 'paused' && this.stand());
      media.addEventListener('waiting', () => this.stall());
      media.addEventListener('error', () => this.fail());
      this.tick();
    }

    /** What every new place in the media starts with. */
    reset() {
      Object.assign(this, { launch: null, pulse: null, samples: [], fineTries: 0, isStalled: false, wasStalled: false });
      Object.assign(this, { isSettling: true, settleUntil: 0, coolUntil: 0, band: BAND_MS });
    }

    /** From play() to sound, as the last starts took. What plays muted by the browser's order goes another way. */
    get latencyMs() {
      const known = this.memory[this.latencyKind];
      if (known.length) return median(known);
      return this.isBlocked ? FIRST_SILENT_MS : FIRST_LATENCY_MS;
    }

    get latencyKind() { return this.isBlocked ? 'silentLatencies' : 'latencies'; }

    /* --- what the room wants --- */

    /** Where a track ends whose length the room does not know, the media says. */
    get endMs() {
      const { durationMs } = this.anchor;
      if (Number.isFinite(durationMs)) return durationMs;
      const ms = this.media.duration * 1000;
      return ms >= LEAST_END_MS ? ms : Infinity;
    }

    /** How far the media is ahead (positive) or behind, in ms. */
    driftNow() { return this.media.currentTime * 1000 - this.anchor.positionMs - this.movedAt(this.clock.now()); }

    follow(anchor) {
      const before = this.anchor, { media } = this;
      this.anchor = anchor;
      if (anchor.item !== before.item) this.reset();
      const isOther = anchor.src !== before.src;
      if (isOther) this.load(anchor.src);
      const isSame = anchor.item === before.item && anchor.version === before.version && anchor.state === before.state;
      if (isSame && !isOther && anchor.atMs === before.atMs && anchor.positionMs === before.positionMs) return;
      if (anchor.state !== 'playing') return this.rest();
      const goesOn = before.state === 'playing' && before.item === anchor.item && !isOther && !media.paused && !this.launch
        && (anchor.isFree || (this.clock.isLocked && Math.abs(this.driftNow()) <= BAND_MS));
      if (!goesOn) this.begin();
    }

    load(src) {
      this.failures = 0;
      if (this.state === 'failed') this.state = 'joining';
      this.media.pause();
      this.attach(src);
    }

    attachPlain(src) {
      // The page may have named the track already, so that it loads while the scripts do.
      if (src && this.media.getAttribute('src') === src && !this.media.error) return;
      if (src) this.media.src = src;
      else this.media.removeAttribute('src');
      this.media.load();
    }

    /** Pause at once, then stand exactly where the room stopped. */
    rest() {
      this.run += 1;
      this.endPulse();
      this.reset();
      this.isHeld = false;
      this.media.pause();
      const { state, src } = this.anchor;
      if (state === 'paused' && src && this.media.readyState >= HAVE_METADATA) this.stand();
      this.drift = NaN;
      this.show(state === 'paused' ? 'paused' : 'idle');
    }

    stand() { if (!this.anchor.isFree) this.place(this.anchor.positionMs); }

    place(ms) {
      if (Math.abs(this.media.currentTime * 1000 - ms) > 0.5) this.media.currentTime = ms / 1000;
    }

    /* --- an exact start --- */

    /** Place the media a little ahead of now and start it on the dot. */
    begin() {
      this.run += 1;
      this.endPulse();
      this.samples = [];
      this.isHeld = this.isStalled = this.wasStalled = false;
      this.launch = { run: this.run, at: null, slack: SLACK_MS, isArmed: false };
      this.media.pause();
      if (this.state === 'failed') this.attach(this.anchor.src);
      this.show(this.isSettling && !this.fineTries ? 'joining' : 'aligning');
      this.prepare();
    }

    prepare() {
      const { launch, media } = this;
      if (!launch || launch.isArmed || !this.clock.isLocked || media.readyState < HAVE_METADATA) return;
      const now = this.clock.now();
      if (launch.at === null) return this.choose(now);
      if (media.seeking || media.readyState < HAVE_FUTURE_DATA) return;
      const startIn = launch.at - this.latencyMs - now;
      if (startIn < -1) {
        launch.slack = Math.min(launch.slack * 2, MOST_SLACK_MS);
        return this.choose(now);
      }
      launch.isArmed = true;
      this.time.exactly(startIn, () => launch === this.launch && this.fire());
    }

    choose(now) {
      const { launch, anchor } = this;
      launch.at = Math.max(anchor.atMs - this.speakerMs, now + this.latencyMs + launch.slack);
      if (anchor.isFree) return this.prepare();
      const target = this.wantedAt(launch.at);
      if (target > this.endMs - END_MS) return this.finish();
      this.place(target);
      if (!this.media.seeking) this.prepare();
    }

    fire() {
      const { launch, media, anchor } = this, now = this.clock.now();
      const late = now - (launch.at - this.latencyMs);
      this.isFresh = late <= LATE_MS;
      this.usedLatencyMs = this.latencyMs;
      // Timers of a hidden page come up to a second late; then only the place can be corrected.
      if (late > LATE_MS && !anchor.isFree) this.place(this.wantedAt(now + this.latencyMs));
      media.defaultPlaybackRate = media.playbackRate = anchor.rate;
      this.starts += 1;
      const started = () => launch === this.launch && this.started();
      media.play().then(started, (error) => launch === this.launch && this.refused(error));
    }

    started() {
      const { at } = this.launch;
      this.launch = null;
      this.isSettling = true;
      this.settleUntil = Math.max(this.clock.now() + SETTLE_MS, at + SETTLE_MS);
      this.samples = [];
      this.show('aligning');
      this.tick();
    }

    /** Autoplay refused is a normal state: go on muted and in step, until a tap. */
    refused(error) {
      this.launch = null;
      if (error.name === 'NotSupportedError') return this.fail();
      if (error.name !== 'NotAllowedError') return this.begin();
      this.isHeld = this.media.muted;
      this.isBlocked = this.media.muted = true;
      if (this.isHeld) this.show('held');
      else this.begin();
    }

    finish() {
      this.launch = null;
      this.drift = NaN;
      this.media.pause();
      this.show('ended');
    }

    fail() {
      const { media, anchor } = this;
      if (!anchor.src || (media.readyState >= HAVE_METADATA && !media.error) || this.state === 'failed') return;
      this.failures += 1;
      this.launch = null;
      const run = ++this.run;
      this.show('failed');
      if (!this.mayRetry()) return;
      this.time.after(1000 * 2 ** Math.min(this.failures, MOST_DOUBLINGS), () => {
        if (run !== this.run) return;
        if (this.anchor.state === 'playing') return this.begin();
        this.attach(anchor.src);
        this.rest();
      });
    }

    /* --- the person at this device --- */

    /** Called inside a tap: sound on, and into step again. */
    tap() {
      this.isBlocked = false;
      this.media.muted = this.isMutedHere;
      if (this.anchor.state !== 'playing') return this.show(this.state);
      this.endPulse();
      const wasPaused = this.media.paused && !this.launch;
      // Some browsers allow sound only to a play() called inside the tap itself.
      this.media.play().catch(() => {});
      this.fineTries = 0;
      if (wasPaused) return this.begin();
      if (this.launch) return;
      this.samples = [];
      Object.assign(this, { isSettling: true, isFresh: false, settleUntil: this.clock.now() + QUICK_MS });
      this.tick();
    }

    setMuted(isMuted) {
      this.isMutedHere = isMuted;
      this.media.muted = isMuted || this.isBlocked;
    }

    /* --- the loop --- */

    tick() {
      const mine = ++this.ticks;
      this.step();
      const pace = this.launch || (this.isSettling && this.anchor.state === 'playing') ? QUICK_MS : SAMPLE_MS;
      this.time.after(pace, () => mine === this.ticks && this.tick());
    }

    step() {
      const { media, anchor } = this;
      if (anchor.state !== 'playing' || this.state === 'failed') return;
      if (this.launch) return this.prepare();
      if (this.isHeld && media.paused) return;
      const now = this.clock.now();
      if (this.state === 'ended') return;
      const left = anchor.isFree ? Infinity : anchor.durationMs - this.wantedAt(now);
      if (media.ended || left < -COOL_DOWN_MS) return this.finish();
      if (left < END_MS) return;
      // Somebody paused it on this device, or the system did: it stays so until they play it again.
      if (media.paused) { this.isHeld = true; return this.show('held'); }
      if (this.isHeld) return this.begin();
      if (!this.clock.isLocked) { this.samples = []; return; }
      if (this.isStalled && media.readyState < HAVE_FUTURE_DATA) return;
      if (this.isStalled) Object.assign(this, { isStalled: false, wasStalled: true, settleUntil: now + SETTLE_MS });
      if (now < this.settleUntil || this.pulse) return;
      this.samples = [...this.samples, this.driftNow()].slice(-MEDIAN_OF);
      if (this.samples.length < MEDIAN_OF) return;
      // Right after a start the sound may not run yet: wait until the reading holds still.
      const spread = Math.max(...this.samples) - Math.min(...this.samples);
      if (this.isSettling && spread > STILL_MS && now < this.settleUntil + MOST_SETTLE_MS) return;
      this.judge(median(this.samples), now);
    }

    judge(drift, now) {
      // What is live and shares no clock with us is played as it comes.
      if (this.anchor.isFree) {
        Object.assign(this, { drift: NaN, isSettling: false, wasStalled: false });
        return this.show('in step');
      }
      this.drift = drift;
      const off = Math.abs(drift);
      if (this.isSettling) return this.settle(drift, off);
      const mustSeek = off > SEEK_MS || (off > this.band && (this.wasStalled || !this.canNudge));
      if (off <= this.band) this.wasStalled = false;
      if (mustSeek && now >= this.coolUntil) return this.correct(now);
      if (!mustSeek && this.canNudge && off > (this.isNudging ? INNER_MS : this.band)) return this.nudge(drift);
      this.isNudging = false;
      this.showHow(off);
    }

    /** The first reading after a start: learn from it, start once more if it missed, trim it if it nearly hit. */
    settle(drift, off) {
      const { memory, latencyKind } = this, took = this.usedLatencyMs - drift;
      if (this.isFresh && took >= 0 && took < MOST_LATENCY_MS) {
        memory[latencyKind] = [...memory[latencyKind], took].slice(-LATENCIES_KEPT);
      }
      this.isFresh = false;
      if (off > BAND_MS && this.fineTries < FINE_TRIES) {
        this.fineTries += 1;
        return this.begin();
      }
      this.land(drift);
    }

    stall() {
      if (this.launch || this.isSettling || this.anchor.state !== 'playing' || this.media.seeking || this.media.ended) return;
      if (this.wantedAt(this.clock.now()) > this.anchor.durationMs - SAMPLE_MS) return;
      this.stalls += 1;
      this.isStalled = true;
      this.endPulse();
      this.samples = [];
      this.show('buffering');
    }

    /* --- small corrections --- */

    /** Another speed for just as long as it takes. Engaging it costs some browsers a fixed piece of time: learned. */
    nudge(drift) {
      const { media, anchor } = this, gain = (this.memory.nudgeCostMs ?? FIRST_COST_MS) - drift;
      const size = clamp(Math.abs(gain) / NUDGE_MS, LEAST_NUDGE, this.maxNudge());
      const excess = gain < 0 ? -size : size, length = clamp(Math.abs(gain) / size, SHORTEST_NUDGE_MS, LONGEST_NUDGE_MS);
      this.isNudging = true;
      this.pulse = { drift, expected: excess * length };
      media.preservesPitch = true;
      media.playbackRate = anchor.rate * (1 + excess);
      if (Math.abs(media.playbackRate - anchor.rate * (1 + excess)) > 1e-4) this.canNudge = false;
      this.showHow(Math.abs(drift));
      const { pulse } = this;
      this.time.after(length, () => pulse === this.pulse && this.weigh(pulse));
    }

    endPulse() {
      this.pulse = null;
      this.media.playbackRate = this.anchor.rate || 1;
    }

    /** Back to normal speed; read what the pulse did once the report is true again. */
    weigh(pulse) {
      this.endPulse();
      this.samples = [];
      this.settleUntil = this.clock.now() + SETTLE_MS;
      const { run } = this;
      this.time.after(SETTLE_MS + SAMPLE_MS, () => {
        if (run !== this.run || this.isStalled || this.media.paused) return;
        const gained = this.driftNow() - pulse.drift;
        const { memory } = this;
        const cost = clamp(pulse.expected - gained, 0, MOST_COST_MS);
        memory.nudgeCostMs = memory.nudgeCostMs === null ? cost : (memory.nudgeCostMs + cost) / 2;
        const helped = gained * -Math.sign(pulse.drift);
        this.misses = helped < Math.abs(pulse.drift) * 0.2 ? (this.misses ?? 0) + 1 : 0;
        if (this.misses >= 3) this.canNudge = false;
      });
    }

    show(state) {
      this.state = state;
      if (state === 'in step') this.failures = 0;
      this.onChange(this);
    }
  }

  partyline.timing = { ...partyline.timing, Follower };
})();
