/*
 * Vimeo by its own library (@vimeo/player, vendored; https://developer.vimeo.com/player/sdk/reference), loaded when
 * something of theirs plays. It tells the time some four times a second; in between the time is reckoned on.
 */
(() => {
  const { partyline } = window;
  if (!partyline?.frames) return;
  const { iframe, script, framed } = partyline.frames;
  const LIBRARY = document.getElementById('screen')?.dataset.vimeo ?? '/static/vendor/vimeo-player-2.30.4.min.js';
  const HOST = 'https://player.vimeo.com', MOST_RECKONED_MS = 1000;
  const PROBLEMS = {
    NotFoundError: 'Vimeo knows no such video.',
    PasswordError: 'This video wants a password on Vimeo.',
    PrivacyError: 'Its owner doesn’t let this be played outside Vimeo.',
  };
  const UNREACHED = 'Vimeo can’t be reached from here just now.';

  /** A reference is a number, or number/hash for what is not listed. */
  const parts = (reference) => { const [number, hash] = reference.split('/'); return { number, hash }; };
  function address(reference) {
    const { number, hash } = parts(reference), options = { dnt: 1, playsinline: 1, ...(hash ? { h: hash } : {}) };
    return `${HOST}/video/${encodeURIComponent(number)}?${new URLSearchParams(options)}`;
  }

  class VimeoFrame {
    constructor({ frame, time }) {
      Object.assign(this, { box: frame, time, tellFollower: () => {}, player: null, frame: null, isGone: false, reference: '', problem: null });
      Object.assign(this, { volume: 1, isMuted: false, state: 'unstarted', ms: 0, at: 0, durationMs: 0, rate: 1, isReady: false, loads: 0 });
    }

    listen(fn) { this.tellFollower = fn; }

    load(reference) {
      Object.assign(this, { reference, problem: null, isReady: false, state: 'unstarted', ms: 0, at: 0, durationMs: 0, rate: 1 });
      if (this.frame) this.frame.hidden = false;
      this.open(++this.loads);
    }

    async open(mine) {
      const isOld = () => this.isGone || mine !== this.loads;
      try {
        await script(LIBRARY);
        if (isOld()) return;
        if (this.player) await this.player.loadVideo({ url: address(this.reference) });
        else this.build();
        await this.player.ready();
        if (isOld()) return;
        const seconds = await this.player.getDuration();
        if (isOld()) return;
        Object.assign(this, { isReady: true, durationMs: seconds * 1000 });
        this.applySound();
        this.tellFollower('state');
      } catch (error) {
        if (!isOld()) this.fail(error);
      }
    }

    build() {
      const one = this.frame = iframe({ src: address(this.reference), title: 'Vimeo', sandbox: 'allow-popups', allow: '; picture-in-picture' });
      this.box.replaceChildren(one);
      const player = this.player = new window.Vimeo.Player(one);
      const on = (type, state) => player.on(type, (data) => this.news(state, data));
      on('playing', 'playing');
      on('pause', 'paused');
      on('bufferstart', 'buffering');
      on('bufferend', 'playing');
      on('ended', 'ended');
      on('timeupdate', '');
      on('seeked', '');
      player.on('playbackratechange', ({ playbackRate }) => { this.rate = playbackRate; });
      player.on('error', (error) => { if (error.name in PROBLEMS) this.fail(error); });
    }

    /** The end of a stall is news of a stall only: what was paused meanwhile stays paused. */
    news(state, data) {
      const isStray = (state === 'playing' && data?.seconds === undefined && this.state !== 'buffering');
      if (state && !isStray) this.state = state;
      if (Number.isFinite(data?.seconds)) Object.assign(this, { ms: data.seconds * 1000, at: this.time.now() });
      if (Number.isFinite(data?.duration)) this.durationMs = data.duration * 1000;
      if (state && this.isReady) this.tellFollower('state');
    }

    fail(error) {
      if (this.isGone) return;
      const known = PROBLEMS[error?.name];
      this.problem = { text: known ?? UNREACHED, url: `https://vimeo.com/${this.reference}`, isPassing: !known };
      // The page says why where the picture was, and not over it.
      if (this.frame) this.frame.hidden = true;
      this.tellFollower('failed');
    }

    reading() {
      if (!this.isReady || this.problem) return null;
      const { state, durationMs, rate } = this;
      const since = state === 'playing' && this.at ? Math.min(MOST_RECKONED_MS, this.time.now() - this.at) * rate : 0;
      return { state, ms: this.ms + since, durationMs, rate };
    }

    play() {
      this.player?.play().catch((error) => { if (error.name === 'NotAllowedError' && !this.isGone) this.tellFollower('blocked'); });
    }
    pause() { this.player?.pause().catch(() => {}); }
    seek(ms) {
      // Until it plays, its time is told by nobody.
      if (this.state !== 'playing') Object.assign(this, { ms, at: 0 });
      this.player?.setCurrentTime(ms / 1000).catch(() => {});
    }
    /** Not every account's videos may change speed: then the answer is an error, and the speed stays. */
    setRate(rate) { this.player?.setPlaybackRate(rate).then((taken) => { this.rate = taken; }, () => {}); }

    setMuted(isMuted) { if (isMuted !== this.isMuted) { this.isMuted = isMuted; this.applySound(); } }
    setVolume(volume) { if (volume !== this.volume) { this.volume = volume; this.applySound(); } }
    applySound() {
      if (!this.isReady) return;
      this.player.setVolume(this.volume).catch(() => {});
      this.player.setMuted(this.isMuted).catch(() => {});
    }

    destroy() {
      this.isGone = true;
      this.player?.destroy().catch(() => {});
    }
  }

  partyline.players.register('vimeo', framed('vimeo', (host) => new VimeoFrame(host)));
})();
