/*
 * YouTube by its documented IFrame Player API: https://developers.google.com/youtube/iframe_api_reference
 * The frame is ours, which that page allows: made by the API it would carry the room's address in its own, and might
 * navigate the page. Their terms: at least 200 pixels each way, its own controls, and nothing laid over it.
 */
(() => {
  const { partyline } = window;
  if (!partyline?.frames) return;
  const { iframe, script, framed } = partyline.frames;
  const API = 'https://www.youtube.com/iframe_api', HOST = 'https://www.youtube-nocookie.com', READY_MS = 15000, FRESH_MS = 3000;
  const STATES = { '-1': 'unstarted', 0: 'ended', 1: 'playing', 2: 'paused', 3: 'buffering', 5: 'cued' };
  const OWNER = 'Its owner doesn’t let this be played outside YouTube.';
  const PROBLEMS = {
    2: 'YouTube knows no such video.',
    5: 'YouTube can’t play this in your browser.',
    100: 'This video is gone from YouTube, or private.',
    101: OWNER,
    150: OWNER,
    153: 'YouTube wants to know which page plays this, and your browser doesn’t say.',
  };
  const UNREACHED = 'YouTube can’t be reached from here just now.';
  const watchUrl = (reference) => `https://www.youtube.com/watch?v=${encodeURIComponent(reference)}`;

  function address(reference) {
    const options = { enablejsapi: 1, origin: location.origin, playsinline: 1, rel: 0, fs: 1 };
    return `${HOST}/embed/${encodeURIComponent(reference)}?${new URLSearchParams(options)}`;
  }

  /** The API says through a function of its own when it is there; it may be there already. */
  async function loadApi() {
    await script(API);
    await new Promise((done, failed) => {
      setTimeout(() => failed(new Error(API)), READY_MS);
      window.YT.ready(done);
    });
    return window.YT;
  }

  class YouTubeFrame {
    constructor({ frame, time }) {
      Object.assign(this, { box: frame, time, tellFollower: () => {}, player: null, frame: null, isReady: false, isGone: false, reference: '' });
      Object.assign(this, { problem: null, volume: 1, isMuted: false, freshAt: 0 });
    }

    listen(fn) { this.tellFollower = fn; }

    load(reference) {
      Object.assign(this, { reference, problem: null, freshAt: this.time.now() + FRESH_MS });
      if (this.frame) this.frame.hidden = false;
      // One frame for many videos: a browser that let the first one sound lets the next one too.
      if (this.isReady) this.player.cueVideoById({ videoId: reference });
      else if (!this.isComing) this.open();
    }

    async open() {
      this.isComing = true;
      try {
        const YT = await loadApi();
        if (this.isGone) return;
        const { reference } = this, one = iframe({
          src: address(reference), title: 'YouTube', sandbox: 'allow-popups allow-popups-to-escape-sandbox', allow: '; picture-in-picture',
        });
        this.box.replaceChildren(one);
        this.frame = one;
        this.player = new YT.Player(one, {
          host: HOST,
          events: {
            onReady: () => this.ready(reference),
            onStateChange: ({ data }) => this.stateChanged(data),
            onAutoplayBlocked: () => this.tellFollower('blocked'),
            onError: ({ data }) => this.fail(PROBLEMS[data] ?? PROBLEMS[5]),
          },
        });
      } catch {
        this.fail(UNREACHED, true);
      } finally {
        this.isComing = false;
      }
    }

    ready(reference) {
      if (this.isGone) return;
      this.isReady = true;
      this.freshAt = 0;
      this.applySound();
      if (reference !== this.reference) this.load(this.reference);
      this.tellFollower('state');
    }

    /** After another video was asked for, what is said of the one before is no news. */
    stateChanged(state) {
      if (state === -1 || state === 5) this.freshAt = 0;
      this.tellFollower('state');
    }

    fail(text, isPassing = false) {
      if (this.isGone) return;
      this.problem = { text, url: watchUrl(this.reference), isPassing };
      // The page says why where the picture was, and not over it.
      if (this.frame) this.frame.hidden = true;
      this.tellFollower('failed');
    }

    reading() {
      const { player } = this;
      if (!this.isReady || this.problem || this.freshAt > this.time.now()) return null;
      const state = STATES[player.getPlayerState()];
      if (!state) return null;
      const of = (number) => (Number.isFinite(number) ? number : 0);
      return {
        state, ms: of(player.getCurrentTime()) * 1000, durationMs: of(player.getDuration()) * 1000, rate: of(player.getPlaybackRate()) || 1,
      };
    }

    play() { if (this.isReady) this.player.playVideo(); }
    pause() { if (this.isReady) this.player.pauseVideo(); }
    seek(ms) { if (this.isReady) this.player.seekTo(ms / 1000, true); }
    setRate(rate) { if (this.isReady) this.player.setPlaybackRate(rate); }

    setMuted(isMuted) { if (isMuted !== this.isMuted) { this.isMuted = isMuted; this.applySound(); } }
    setVolume(volume) { if (volume !== this.volume) { this.volume = volume; this.applySound(); } }
    applySound() {
      if (!this.isReady) return;
      this.player.setVolume(Math.round(this.volume * 100));
      if (this.isMuted) this.player.mute(); else this.player.unMute();
    }

    destroy() {
      this.isGone = true;
      this.isReady = false;
      this.player?.destroy();
    }
  }

  partyline.players.register('youtube', framed('youtube', (host) => new YouTubeFrame(host)));
})();
