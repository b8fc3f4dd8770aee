/*
 * Keeps a player that lives in somebody else's frame (YouTube, Vimeo) where the room's anchor says it should be. Pure
 * like controller.js: the frame, the clock and the timers are given. Nothing that happens in the frame is ever sent.
 *
 * Such players answer late, tell their time in steps, start and seek with a latency of their own and play
 * advertisements. So drift is the best of many readings (one that is told late only looks behind), starts and seeks are
 * aimed by what the last ones took, speed is touched only where the player agrees to it, and media that stands still
 * while it "plays", or has another length than the video, is an advertisement: left alone until it is over.
 */
(() => {
  const { partyline } = window, { Steering, clamp, median, COOL_DOWN_MS, FINE_TRIES } = partyline.timing;
  const POLL_MS = 50, REST_POLL_MS = 250, JUDGE_MS = 250, WINDOW_MS = 1200, LEAST_WINDOW_MS = 400, LEAST_STEPS = 2;
  const SMOOTH_WINDOW_MS = 200, SMOOTH_STEPS = 4;
  const SETTLE_MS = 250, MOST_SETTLE_MS = 2500, STEADY_MS = 60;
  const BAND_MS = 120, LANDING_MS = 80, INNER_MS = 40, WIDEST_BAND_MS = 480, SEEK_MS = 600;
  const FINE_COOL_MS = 10000;
  const MOST_NUDGE = 0.03, LEAST_NUDGE = 0.01, NUDGE_MS = 4000, LONGEST_NUDGE_MS = 10000, READ_BACK_MS = 500;
  const SAME_RATE = 0.004, NUDGE_MISSES = 2;
  const MOVING_MS = 700, STILL_MS = 1800, TRAIL_MS = 2400, MOVING = 0.5, STILL = 0.25;
  const AD_DIFFERS_MS = 2000, AD_DIFFERS = 0.02, AD_MOST_MS = 180000, GROWS_MS = 1500;
  const PLACE_MS = 50, SLACK_MS = 300, LATE_MS = 60, END_MS = 300, BLOCKED_MS = 3000, LOST_MS = 8000;
  const FIRST_LEADS = { cold: 900, warm: 150, seek: 350 }, MOST_LEAD_MS = 3000, LEADS_KEPT = 5;

  const IDLE = { item: '', state: 'idle', positionMs: 0, atMs: 0, rate: 1, version: 0, durationMs: 0, reference: '' };

  class FrameFollower extends Steering {
    /**
     * `frame` has load(reference), play(), pause(), seek(ms), setRate(rate), setMuted(is), listen(fn) and reading():
     * null until it is ready, then { state, ms, durationMs, rate } with state unstarted, cued, playing, paused,
     * buffering or ended. It calls its listener with 'state', 'blocked' or 'failed'. `mayBeBlocked()` is false once
     * the browser can have no reason to refuse sound.
     */
    constructor({ frame, clock, time, memory = {}, mayBeBlocked = () => true, onChange = () => {}, onStruggle = () => {} }) {
      super({ innerMs: INNER_MS, widestMs: WIDEST_BAND_MS });
      Object.assign(this, { frame, clock, time, mayBeBlocked, onChange, onStruggle });
      this.memory = { cold: [], warm: [], seek: [], ...memory };
      Object.assign(this, { anchor: IDLE, state: 'idle', drift: NaN, speakerMs: 0, isMutedHere: false, isBlocked: false });
      Object.assign(this, { isHeld: false, judgedAt: 0, resumedAt: 0, seeks: 0, stalls: 0, starts: 0, ads: 0, run: 0, ticks: 0, isGone: false });
      this.reset();
      this.renew();
      frame.listen((what) => this.heard(what));
      this.tick();
    }

    /** What every new place in the video starts with. */
    reset() {
      Object.assign(this, { launch: null, pulse: null, readings: [], trail: [], fineTries: 0, isStalled: false });
      Object.assign(this, { wasStalled: false, isSettling: true, landing: null, settleUntil: 0, coolUntil: 0 });
      Object.assign(this, { fineCoolUntil: 0, band: BAND_MS, lostSince: 0, isPlaced: false });
    }

    /** What every new video starts with. */
    renew() { Object.assign(this, { ad: null, firstLength: null, isEndless: false, canNudge: true, misses: 0 }); }

    leadMs(kind) { return this.memory[kind].length ? median(this.memory[kind]) : FIRST_LEADS[kind]; }

    get latencyMs() { return this.leadMs('warm'); }

    /* --- what the room wants --- */

    follow(anchor) {
      const before = this.anchor, now = this.clock.now(), wanted = this.wantedAt(now);
      this.anchor = anchor;
      if (anchor.item !== before.item || anchor.reference !== before.reference) {
        this.reset();
        this.renew();
        this.isHeld = false;
        if (anchor.reference) this.frame.load(anchor.reference);
      }
      const isSame = anchor.item === before.item && anchor.version === before.version && anchor.state === before.state;
      if (isSame && anchor.atMs === before.atMs && anchor.positionMs === before.positionMs) return;
      if (anchor.state !== 'playing') return this.rest();
      const drift = this.drift - (this.wantedAt(now) - wanted);
      const goesOn = before.state === 'playing' && before.item === anchor.item && this.state === 'in step' && Math.abs(drift) <= BAND_MS;
      this.readings = [];
      if (!goesOn) this.begin();
    }

    /** Pause at once, then stand where the room stopped. */
    rest() {
      const { state } = this.anchor, { ad } = this;
      this.run += 1;
      this.endPulse();
      this.reset();
      Object.assign(this, { isHeld: false, drift: NaN, ad });
      if (this.frame.reading()) this.frame.pause();
      this.show(state === 'paused' ? 'paused' : 'idle');
    }

    /** What is paused for everybody is paused here; a place is taken only once the player stands. */
    stayAtRest(reading, now) {
      if (this.anchor.state !== 'paused' || !reading || this.state === 'failed') return;
      if (reading.state === 'playing' && now >= this.coolUntil) {
        this.coolUntil = now + COOL_DOWN_MS / 2;
        this.frame.pause();
      }
      if (reading.state !== 'paused' || this.isPlaced || this.ad) return;
      this.isPlaced = true;
      if (Math.abs(reading.ms - this.anchor.positionMs) > PLACE_MS) this.frame.seek(this.anchor.positionMs);
    }

    /* --- a start, or a seek of what plays --- */

    begin() {
      this.run += 1;
      this.endPulse();
      Object.assign(this, { readings: [], trail: [], isHeld: false, isStalled: false, wasStalled: false, lostSince: 0 });
      if (this.ad) {
        this.resumedAt = this.clock.now();
        this.frame.play();
        return this.show('in an ad');
      }
      this.launch = { kind: '', at: 0, target: 0, slack: 0, firedAt: null, isArmed: false };
      this.show(this.isSettling && !this.fineTries ? 'joining' : 'aligning');
      this.prepare(this.frame.reading(), this.clock.now());
    }

    prepare(reading, now) {
      const { launch } = this;
      if (!reading || !this.clock.isLocked || launch.isArmed) return;
      if (launch.firedAt !== null) return this.await(reading, now);
      const { state } = reading;
      const kind = state === 'paused' ? 'warm' : state === 'playing' || state === 'buffering' ? 'seek' : 'cold';
      const lead = this.leadMs(kind);
      if (launch.kind !== kind || launch.at - lead - now < -LATE_MS) {
        if (launch.kind === kind) launch.slack = Math.max(SLACK_MS, launch.slack * 2);
        launch.kind = kind;
        const isThere = kind !== 'warm' || Math.abs(reading.ms - this.anchor.positionMs) <= PLACE_MS;
        launch.at = Math.max(this.anchor.atMs - this.speakerMs, now + lead + launch.slack + (isThere ? 0 : SLACK_MS));
        launch.target = this.wantedAt(launch.at);
        if (launch.target > this.anchor.durationMs - END_MS) return this.finish();
        if (kind === 'warm' && Math.abs(reading.ms - launch.target) > PLACE_MS) this.frame.seek(launch.target);
      }
      const startIn = launch.at - lead - now;
      if (startIn > 2 * POLL_MS) return;
      launch.isArmed = true;
      this.time.exactly(Math.max(0, startIn), () => launch === this.launch && this.fire(lead));
    }

    fire(lead) {
      const { launch, frame } = this;
      launch.isArmed = false;
      launch.firedAt = this.clock.now();
      // A timer that came late must not teach the wrong latency.
      launch.isFresh = launch.firedAt - (launch.at - lead) <= LATE_MS;
      launch.lead = lead;
      this.starts += 1;
      if (this.anchor.rate !== 1 || this.isRateTouched) frame.setRate(this.anchor.rate);
      if (launch.kind !== 'warm') frame.seek(launch.target);
      if (launch.kind !== 'seek') frame.play();
    }

    /** Fired: wait until it plays, near where it was sent. */
    await(reading, now) {
      const { launch } = this, waited = now - launch.firedAt, isMoved = reading.ms - launch.target;
      if (reading.state === 'ended') return this.finish();
      launch.hasStopped ||= reading.state !== 'playing';
      const isLanded = launch.hasStopped || (waited > READ_BACK_MS && Math.abs(isMoved) < waited + SEEK_MS);
      if (reading.state === 'playing' && (isLanded || waited > LOST_MS)) return this.started(launch, now);
      if (reading.state === 'buffering') { if (waited > BLOCKED_MS) this.show('buffering'); return; }
      if (reading.state !== 'playing' && waited > BLOCKED_MS && this.mayBeBlocked()) this.refused();
      else if (waited > 4 * LOST_MS) this.begin();
    }

    started(launch, now) {
      this.launch = null;
      this.landing = launch;
      Object.assign(this, { isSettling: true, readings: [], settleUntil: Math.max(now, launch.at) + SETTLE_MS });
      this.show('aligning');
    }

    /** Autoplay refused is a normal state: go on muted and in step, until a tap. */
    refused() {
      this.launch = null;
      if (this.isBlocked) { this.isHeld = true; return this.show('held'); }
      this.isBlocked = true;
      this.frame.setMuted(true);
      this.begin();
    }

    finish() {
      this.launch = null;
      this.endPulse();
      this.show('ended');
    }

    heard(what) {
      if (what === 'failed') { this.launch = null; return this.show('failed'); }
      // It may say so more than once; whether muted media is refused too, only time tells.
      if (what === 'blocked' && !this.isBlocked && this.launch && this.launch.firedAt !== null) return this.refused();
      if (this.launch || this.state === 'failed') this.tick();
    }

    /* --- the person at this device --- */

    /** Called inside a tap: sound on, and into step again. */
    tap() {
      const wasHeld = this.isHeld;
      this.isBlocked = false;
      this.frame.setMuted(this.isMutedHere);
      if (this.anchor.state !== 'playing') return this.show(this.state);
      if (wasHeld) return this.begin();
      this.show(this.state);
    }

    setMuted(isMuted) {
      this.isMutedHere = isMuted;
      this.frame.setMuted(isMuted || this.isBlocked);
    }

    /** What could not be played may be played now. */
    retry() {
      if (this.state !== 'failed') return;
      this.state = 'idle';
      if (this.anchor.state === 'playing') this.begin(); else this.rest();
    }

    /** The frame is taken away: nothing more is asked of it. */
    leave() { Object.assign(this, { isGone: true, launch: null, anchor: IDLE, state: 'idle', drift: NaN }); }

    /* --- the loop --- */

    tick() {
      if (this.isGone) return;
      const mine = ++this.ticks;
      this.step(this.frame.reading(), this.clock.now());
      this.time.after(this.anchor.state === 'playing' ? POLL_MS : REST_POLL_MS, () => mine === this.ticks && this.tick());
    }

    step(reading, now) {
      const { anchor } = this;
      if (anchor.state !== 'playing') return this.stayAtRest(reading, now);
      if (!reading || this.state === 'failed' || this.state === 'ended' || !this.clock.isLocked) return;
      if (this.lookForAd(reading, now)) return;
      if (this.launch) return this.prepare(reading, now);
      const left = anchor.durationMs - this.wantedAt(now);
      if (reading.state === 'ended' || left < -COOL_DOWN_MS) return this.finish();
      if (left < END_MS || this.isAway(reading, now)) return;
      if (this.isHeld) return this.begin();
      if (this.isStalled) Object.assign(this, { isStalled: false, wasStalled: true, settleUntil: now + SETTLE_MS });
      if (now < this.settleUntil || this.pulse) return;
      if (this.isEndless) return this.show('live');
      this.readings = [...this.readings, { t: now, drift: reading.ms - this.wantedAt(now), ms: reading.ms }]
        .filter(({ t }) => now - t <= WINDOW_MS);
      if (!this.isSettling && now - this.judgedAt < JUDGE_MS) return;
      const drift = this.estimate(now);
      if (drift === null) return;
      this.judgedAt = now;
      this.judge(drift, now);
    }

    /** Paused on this device, buffering, or nowhere: true while there is nothing to measure. */
    isAway({ state }, now) {
      if (state === 'playing') { this.lostSince = 0; return false; }
      this.readings = [];
      if (state === 'paused') {
        // Somebody paused it here: it stays so until they play it again.
        this.isHeld = true;
        this.show('held');
        return true;
      }
      if (!this.isStalled && !this.isSettling) this.stalls += 1;
      this.isStalled = true;
      if (!this.isHeld) this.show('buffering');
      this.lostSince ||= now;
      if (state !== 'buffering' && !this.isHeld && now - this.lostSince > LOST_MS) this.begin();
      return true;
    }

    /** The least late of the readings; null while there are too few, or after a start while they do not hold still. */
    estimate(now) {
      const { readings } = this, span = now - (readings[0]?.t ?? now);
      const steps = readings.filter(({ ms }, at) => at && ms !== readings[at - 1].ms).length;
      // A time that is new at every look is reckoned on and true; one that is told in steps is true when it jumps.
      const isSmooth = steps >= SMOOTH_STEPS && span >= SMOOTH_WINDOW_MS, isStepped = steps >= LEAST_STEPS && span >= LEAST_WINDOW_MS;
      if (!isSmooth && !isStepped && span < WINDOW_MS - 2 * POLL_MS) return null;
      const best = (some) => Math.max(...some.map(({ drift }) => drift));
      const middle = readings.length >> 1;
      const isSteady = Math.abs(best(readings.slice(0, middle)) - best(readings.slice(middle))) <= STEADY_MS;
      if (!isSteady && this.isSettling && now < this.settleUntil + MOST_SETTLE_MS) return null;
      return best(isSteady ? readings : readings.slice(middle));
    }

    judge(drift, now) {
      this.drift = drift;
      const off = Math.abs(drift);
      this.weigh(off);
      if (this.isSettling) return this.settle(drift, off);
      const isFar = off > SEEK_MS, isUrgent = isFar || (off > this.band && this.wasStalled);
      if (off <= this.band) this.wasStalled = false;
      const mustSeek = isUrgent || (off > this.band && !this.canNudge);
      // Media that does not move cannot be corrected; it may be an advertisement that has just begun.
      const isMoving = this.pace(MOVING_MS) > MOVING;
      if (mustSeek && isMoving && now >= (isUrgent ? this.coolUntil : this.fineCoolUntil)) return this.correct(now);
      if (!mustSeek && isMoving && this.canNudge && off > (this.isNudging ? INNER_MS : this.band)) return this.nudge(drift);
      this.isNudging = false;
      this.showHow(off);
    }

    /** The first reading after a start: learn from it, and start once more if it missed. */
    settle(drift, off) {
      const { landing, memory } = this;
      this.landing = null;
      if (landing?.isFresh && off < MOST_LEAD_MS) {
        memory[landing.kind] = [...memory[landing.kind], clamp(landing.lead - drift, 0, MOST_LEAD_MS)].slice(-LEADS_KEPT);
      }
      if (off > (this.fineTries ? this.band : LANDING_MS) && this.fineTries < FINE_TRIES) {
        this.fineTries += 1;
        return this.begin();
      }
      this.land(drift);
    }

    correct(now) {
      this.fineCoolUntil = now + FINE_COOL_MS;
      super.correct(now);
    }

    /* --- advertisements --- */

    /** How fast the media has moved over the last so many ms, as a part of the room's speed; NaN: not known yet. */
    pace(ms) {
      const { trail } = this, last = trail.at(-1), first = trail.findLast(({ t }) => last.t - t >= ms);
      return first ? (last.ms - first.ms) / (last.t - first.t) / this.anchor.rate : NaN;
    }

    /** True while an advertisement plays: it is left alone, and one seek afterwards brings the video back into step. */
    lookForAd(reading, now) {
      const { anchor, ad } = this, { state, ms, durationMs } = reading;
      if (state !== 'playing') {
        this.trail = [];
        const isStarting = state !== 'paused' || now - this.resumedAt < BLOCKED_MS;
        return Boolean(ad) && isStarting && state !== 'ended';
      }
      this.trail = [...this.trail.filter(({ t }) => now - t <= TRAIL_MS), { t: now, ms }];
      this.lookForGrowth(durationMs, now);
      const differs = !this.isEndless && durationMs > 0 && Number.isFinite(anchor.durationMs)
        && Math.abs(durationMs - anchor.durationMs) > Math.max(AD_DIFFERS_MS, anchor.durationMs * AD_DIFFERS);
      const isOther = differs && !(ad && now - ad.since > AD_MOST_MS) && !this.isOfOtherLength;
      const isAd = isOther || this.pace(STILL_MS) < STILL || (Boolean(ad) && !(this.pace(MOVING_MS) > MOVING));
      if (isAd && !ad) {
        this.ad = { since: now };
        this.ads += 1;
        this.endPulse();
        Object.assign(this, { launch: null, readings: [], isHeld: false });
        this.show('in an ad');
      } else if (!isAd && ad) {
        // What lasts longer than any advertisement is the video: the room's idea of its length is wrong.
        this.isOfOtherLength = differs;
        this.ad = null;
        Object.assign(this, { isSettling: true, fineTries: FINE_TRIES - 1 });
        this.begin();
      }
      if (this.ad && this.isHeld) {
        this.isHeld = false;
        this.show('in an ad');
      }
      return Boolean(this.ad);
    }

    /** A length that grows is no length: something live, which cannot be steered. */
    lookForGrowth(durationMs, now) {
      if (!durationMs || this.isEndless) return;
      this.firstLength ??= { durationMs, at: now };
      const grown = durationMs - this.firstLength.durationMs, took = now - this.firstLength.at;
      if (grown > GROWS_MS && Math.abs(grown - took) < took / 2) this.isEndless = true;
      else if (grown !== 0 && Math.abs(grown) > took + GROWS_MS) this.firstLength = { durationMs, at: now };
    }

    /* --- small corrections --- */

    /** Another speed for as long as it takes, if the player says after a while that it took it. */
    nudge(drift) {
      const { frame, anchor } = this, size = clamp(Math.abs(drift) / NUDGE_MS, LEAST_NUDGE, MOST_NUDGE);
      const rate = anchor.rate * (1 - Math.sign(drift) * size), length = Math.min(Math.abs(drift) / size, LONGEST_NUDGE_MS);
      const pulse = { off: Math.abs(drift) };
      Object.assign(this, { pulse, isNudging: true, isRateTouched: true });
      frame.setRate(rate);
      this.showHow(pulse.off);
      this.time.after(READ_BACK_MS, () => {
        const reading = frame.reading();
        if (pulse !== this.pulse || !reading || Math.abs(reading.rate - rate) <= SAME_RATE) return;
        this.canNudge = false;
        this.endPulse();
      });
      this.time.after(length, () => {
        if (pulse !== this.pulse) return;
        this.endPulse();
        this.weighing = pulse;
        this.settleUntil = this.clock.now() + SETTLE_MS;
      });
    }

    endPulse() {
      if (this.pulse) this.frame.setRate(this.anchor.rate || 1);
      Object.assign(this, { pulse: null, weighing: null, readings: [] });
    }

    /** A speed that is taken and does nothing is not asked for again. */
    weigh(off) {
      if (!this.weighing) return;
      this.misses = this.weighing.off - off < this.weighing.off * 0.2 ? this.misses + 1 : 0;
      this.weighing = null;
      if (this.misses >= NUDGE_MISSES) this.canNudge = false;
    }

    show(state) {
      this.state = state;
      this.onChange(this);
    }
  }

  partyline.timing = { ...partyline.timing, FrameFollower };
})();
