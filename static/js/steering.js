/*
 * What both followers share, that of our own media element (controller.js) and that of players in frames of others
 * (framefollower.js): where the room's anchor wants the media, what becomes of the first reading after a start, and the
 * seek that sets things right. Whoever needs it too often keeps to a wider band. Pure, as they are.
 */
(() => {
  const COOL_DOWN_MS = 2000, FINE_TRIES = 2, SEEKS_IN_A_MINUTE = 3, MINUTE_MS = 60000;

  const clamp = (value, low, high) => Math.max(low, Math.min(high, value));
  const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];

  class Steering {
    /** `innerMs`: less than this is not corrected, `widestMs`: the widest band. */
    constructor({ innerMs, widestMs }) {
      Object.assign(this, { innerMs, widestMs, seekTimes: [] });
    }

    /** Where the media should stand at server time `t`; before the anchor's instant it waits there. */
    wantedAt(t) { return this.anchor.positionMs + Math.max(0, this.movedAt(t)); }

    movedAt(t) {
      const { state, atMs, rate } = this.anchor;
      return state === 'playing' ? (t + this.speakerMs - atMs) * rate : 0;
    }

    /** How late this device's speaker is; the media runs that much early. */
    setSpeaker(ms) {
      if (ms === this.speakerMs) return;
      this.speakerMs = ms;
      this.fineTries = 0;
      if (this.anchor.state === 'playing' && this.state !== 'ended') this.begin();
    }

    /** A start landed near enough: what is left is trimmed, or left. */
    land(drift) {
      const off = Math.abs(drift);
      this.isSettling = false;
      if (off > this.innerMs && off <= this.band && this.canNudge) return this.nudge(drift);
      this.showHow(off);
    }

    /** Too far off for anything finer: started anew at the right place. */
    correct(now) {
      this.seeks += 1;
      this.seekTimes = [...this.seekTimes.filter((at) => now - at < MINUTE_MS), now];
      this.coolUntil = now + COOL_DOWN_MS;
      if (this.seekTimes.length >= SEEKS_IN_A_MINUTE && this.band < this.widestMs) {
        this.band *= 2;
        this.seekTimes = [];
        this.onStruggle(this.band);
      }
      this.fineTries = FINE_TRIES - 1;
      this.begin();
    }

    showHow(off) { this.show(off <= this.band ? 'in step' : 'off'); }
  }

  const { partyline } = window;
  partyline.timing = { ...partyline.timing, Steering, clamp, median, COOL_DOWN_MS, FINE_TRIES };
})();
