/*
 * A player in a frame, in virtual time, with the habits of YouTube's: commands and news take a moment, the time is told
 * every so often, starts and seeks take their time and never the same, speeds come in steps, and there are ads.
 * Stands on player_sim.js for the world, the networks and the clock.
 */
(() => {
  const { World, Member, anchor } = window.sim;
  const { FrameFollower } = window.partyline.timing;

  class Frame {
    constructor(world, habits) {
      Object.assign(this, { world, fn: () => {}, state: 'unstarted', base: 0, since: 0, speed: 1, isMuted: false, ad: 0, video: '' });
      Object.assign(this, { readyMs: 400, coldMs: 800, coldJitter: 250, warmMs: 140, warmJitter: 40, seekMs: 320, seekJitter: 70,
        tellMs: 250, isCoarse: false, hasFineRates: false, ignoresRates: false, mayPlay: true, mayPlayMuted: true, saysBlocked: true,
        durationMs: 240000, adDurationMs: 0, ppm: 0, trip: 6, grows: false }, habits);
      Object.assign(this, { plays: 0, sought: [], rates: [], told: null, isReady: false, work: 0 });
    }
    listen(fn) { this.fn = fn; }
    load(video) {
      this.video = video;
      this.work += 1;
      Object.assign(this, { state: 'unstarted', base: 0, told: null, isReady: false });
      this.later(this.readyMs, () => { this.isReady = true; this.tell(); this.fn('state'); this.tellOn(); });
    }
    later(ms, fn) { this.world.at(this.world.t + ms, fn); }
    around(ms, jitter) { return ms + this.world.luck.between(-jitter, jitter); }
    /* the truth */
    get isMoving() { return this.state === 'playing' && !this.ad; }
    get nowMs() { return this.base + (this.isMoving ? Math.max(0, this.world.t - this.since) * this.speed * (1 + this.ppm / 1e6) : 0); }
    rebase(ms = this.nowMs) { this.base = ms; this.since = this.world.t; }
    become(state) {
      this.rebase();
      this.state = state;
      this.tell(() => this.fn('state'));
    }
    get length() { return this.ad && this.adDurationMs ? this.adDurationMs : this.durationMs + (this.grows ? this.world.t : 0); }
    /* what the page is told */
    tell(then = () => {}) {
      const { state, speed, length: durationMs, nowMs: ms } = this, at = this.world.t;
      this.later(this.trip, () => { this.told = { state, speed, durationMs, ms, at }; then(); });
    }
    tellOn() { const mine = this.work; this.later(this.tellMs, () => { if (mine === this.work) { this.tell(); this.tellOn(); } }); }
    reading() {
      if (!this.isReady || !this.told) return null;
      const { state, ms, at, speed, durationMs } = this.told;
      const more = state === 'playing' && !this.isCoarse ? Math.min(1000, this.world.t - at) * speed : 0;
      return { state, ms: ms + more, durationMs, rate: speed };
    }
    /* commands */
    play() {
      this.later(this.trip, () => {
        if (this.state === 'playing' || this.isStarting) return;
        const isCold = this.state === 'unstarted';
        if (!this.mayPlay && !(this.mayPlayMuted && this.isMuted)) { if (this.saysBlocked) this.fn('blocked'); return; }
        this.plays += 1;
        this.isStarting = true;
        if (isCold) this.become('buffering');
        this.later(isCold ? this.around(this.coldMs, this.coldJitter) : this.around(this.warmMs, this.warmJitter), () => {
          if (this.isStarting) { this.isStarting = false; this.become('playing'); }
        });
      });
    }
    pause() { this.later(this.trip, () => { this.isStarting = false; if (this.state !== 'unstarted') this.become('paused'); }); }
    seek(ms) {
      this.later(this.trip, () => {
        this.sought.push(ms);
        if (this.ad) return;
        if (this.state !== 'playing') { this.rebase(ms); this.tell(); return; }
        this.become('buffering');
        this.base = ms;
        this.later(this.around(this.seekMs, this.seekJitter), () => { if (this.state === 'buffering') this.become('playing'); });
      });
    }
    setRate(rate) {
      this.rates.push(rate);
      this.later(this.trip, () => {
        if (this.ignoresRates) { this.speed = 1; this.said = rate; this.tell(); return; }
        this.rebase();
        this.speed = this.hasFineRates ? rate : Math.round(rate * 4) / 4;
        this.tell();
      });
    }
    setMuted(isMuted) { this.isMuted = isMuted; }
    /* what happens to it */
    stall(ms) { this.become('buffering'); this.later(ms, () => this.become('playing')); }
    advertise(ms) { this.rebase(); this.ad = ms; this.tell(); this.later(ms, () => { this.rebase(); this.ad = 0; this.since = this.world.t; this.tell(); }); }
  }

  class FrameMember extends Member {
    constructor(world, { habits = {}, memory = {}, mayBeBlocked = true, ...options } = {}) {
      super(world, { ...options, hasPlayer: false });
      this.frame = new Frame(world, habits);
      const onChange = ({ state }) => {
        if (state === 'in step') this.joinedAt ??= world.t - this.startedAt;
        if (this.states.at(-1) !== state) this.states.push(state);
      };
      this.player = new FrameFollower({ frame: this.frame, clock: this.clock, time: this.time, memory, onChange,
        mayBeBlocked: () => mayBeBlocked, onStruggle: (band) => this.told.push(band) });
    }
  }
  const video = (world, change = {}) => anchor(world, { reference: 'aaaaaaaaaaa', src: '', ...change });
  window.sim = { ...window.sim, World, FrameMember, video };
})();
