/*
 * The native player: files and HLS in the one media element, kept in step by the Follower. It chooses the form of a
 * track this browser can play, loads hls.js where the browser has no HLS of its own, and says in words what went wrong.
 */
(() => {
  const { partyline } = window;
  const media = document.getElementById('media');
  if (!media || !partyline?.players) return;
  const RAMP_MS = 200, RAMP_STEP_MS = 20, SETTLED_MS = 1500, AGAIN_MS = 1000, MOST_AGAIN_MS = 30000, MEND_EVERY_MS = 5000;
  const OPUS_TYPE = 'audio/ogg; codecs=opus';
  const HLS_TYPE = 'application/vnd.apple.mpegurl', NOTHING = { item: '', state: 'idle', positionMs: 0, atMs: 0, rate: 1, version: 0, durationMs: 0, src: '' };
  const ABORTED = 1, NETWORK = 2, DAMAGED = 3;
  // Pieces of a live list last six seconds by custom, and three of them should be at hand.
  const LIVE_DELAY_MS = 20000, MOST_REMAP_MS = 250;

  const canPlay = (mime) => !mime || media.canPlayType(mime) !== '';

  /** hls.js comes when the first list needs it. */
  let library = null;
  function loadLibrary() {
    library ??= new Promise((done, failed) => {
      const script = document.createElement('script');
      script.src = document.getElementById('screen').dataset.hls;
      script.addEventListener('load', () => done(window.Hls));
      script.addEventListener('error', () => { library = null; script.remove(); failed(new Error('hls.js did not load')); });
      document.head.append(script);
    });
    return library;
  }

  class Native {
    constructor({ clock, time, storage }) {
      Object.assign(this, { clock, storage, given: NOTHING, host: null, src: '', isOpus: false, hasSwitched: false, hls: null, live: null, learned: '' });
      Object.assign(this, { problem: null, isOwnHls: true, target: media.volume, ramp: 0, attached: 0, mendedAt: -Infinity, lastError: '' });
      this.follower = new partyline.timing.Follower({
        media, time, clock,
        memory: storage.get('device', {}),
        maxNudge: () => (media.videoWidth ? 0.03 : 0.01),
        attach: (src) => this.attach(src),
        mayRetry: () => this.tryOtherwise(),
        onChange: () => this.changed(),
        onStruggle: (band) => this.host?.onStruggle(band),
      });
      for (const type of ['loadedmetadata', 'durationchange']) media.addEventListener(type, () => this.learnLength());
      media.addEventListener('loadedmetadata', () => this.findEdge());
    }

    /* --- what the page asks of a player --- */

    follow(given) {
      const isOpus = this.playsOpus(given), goesOn = this.goesOn(given);
      if (!this.isSame(given)) Object.assign(this, { live: null, hasSwitched: false, isOwnHls: true, problem: null, lastError: '' });
      Object.assign(this, { given, isOpus });
      if (!goesOn) this.src = isOpus ? given.opus : given.src;
      const wasResting = this.follower.anchor.state !== 'playing';
      if (this.live?.isFree && wasResting && given.state === 'playing') this.goToEdge();
      this.follower.follow(this.placed());
    }

    destroy() { this.follow(NOTHING); }

    setVolume(volume) {
      this.target = volume;
      clearInterval(this.ramp);
      if (media.paused || media.muted) { media.volume = volume; return; }
      const step = (volume - media.volume) * RAMP_STEP_MS / RAMP_MS;
      this.ramp = setInterval(() => {
        const left = volume - media.volume;
        const isThere = Math.abs(left) <= Math.abs(step) || step === 0;
        media.volume = isThere ? volume : Math.max(0, Math.min(1, media.volume + step));
        if (isThere) clearInterval(this.ramp);
      }, RAMP_STEP_MS);
    }

    setMuted(isMuted) { this.follower.setMuted(isMuted); }
    setSpeaker(ms) { this.follower.setSpeaker(ms); }
    tap() { this.follower.tap(); }
    wantedAt(t) { return this.follower.wantedAt(t); }
    get state() { return this.follower.state; }
    get drift() { return this.follower.drift; }
    get isBlocked() { return this.follower.isBlocked; }
    get isHeld() { return this.follower.isHeld; }
    get isLive() { return this.live !== null; }
    get words() { return this.live?.isFree && this.state === 'in step' ? 'live' : null; }
    get seeks() { return this.follower.seeks; }
    get stalls() { return this.follower.stalls; }
    get starts() { return this.follower.starts; }
    get rate() { return media.playbackRate; }
    get band() { return this.follower.band; }
    get knows() { return { latencyMs: this.follower.latencyMs, nudgeCostMs: this.follower.memory.nudgeCostMs }; }

    changed() {
      const { state, memory } = this.follower, knowledge = JSON.stringify(memory);
      if (knowledge !== this.learned && state === 'in step') this.storage.set('device', memory);
      this.learned = knowledge;
      this.problem = state === 'failed' ? { text: this.reason(), url: this.given.src } : null;
      this.host?.onChange(this);
    }

    /* --- which form --- */

    isSame(given) { return given.item === this.given.item && given.player === this.given.player; }

    /** An address may change while it plays, as when a cover was drawn; what plays goes on. */
    goesOn(given) { return this.isSame(given) && this.src !== '' && this.follower.state !== 'failed'; }

    playsOpus(given) {
      if (this.goesOn(given)) return this.isOpus;
      if (given.player !== 'file' || !given.opus || !canPlay(OPUS_TYPE)) return false;
      return !canPlay(given.mime) || (this.isSame(given) ? this.isOpus : given.isLifted);
    }

    /** Another form may be playable where this one is not; the same one again is, when the network was at fault. */
    tryOtherwise() {
      const { src, opus, mime } = this.given, code = media.error?.code;
      if (this.isHls && this.hasOwnHls) this.isOwnHls = false;
      else if (opus && !this.hasSwitched && code > NETWORK && canPlay(this.isOpus ? mime : OPUS_TYPE)) {
        Object.assign(this, { isOpus: !this.isOpus, hasSwitched: true });
        queueMicrotask(() => {
          this.src = this.isOpus ? opus : src;
          this.host?.onForm();
          this.follower.follow(this.placed());
        });
      } else if (this.isHls) return true;
      else if (code === DAMAGED || !canPlay(mime)) return false;
      return true;
    }

    reason() {
      const code = media.error?.code, { mime } = this.given;
      if (this.isHls) return { list: 'The stream cannot be reached.', kind: 'This browser does not play streams like this one.' }[this.lastError] ?? 'The stream broke off.';
      if (code === ABORTED || code === NETWORK) return 'The file broke off on its way here.';
      if (code === DAMAGED) return 'The file is damaged, or of a kind this browser only half knows.';
      return canPlay(mime) ? 'The file cannot be reached, or this browser does not know its kind.' : `This browser does not play ${mime}.`;
    }

    get isHls() { return this.given.player === 'hls'; }

    /** Browsers that cannot tell the time of day in a live list would be anywhere in it; hls.js can, where it runs. */
    get hasOwnHls() {
      const isGood = 'getStartDate' in media || !(window.ManagedMediaSource ?? window.MediaSource);
      return this.isOwnHls && isGood && media.canPlayType(HLS_TYPE) !== '';
    }

    attach(src) {
      const mine = ++this.attached;
      this.hls?.destroy();
      this.hls = null;
      this.lastError = '';
      if (!src || !this.isHls || this.hasOwnHls) return this.follower.attachPlain(src);
      if (media.hasAttribute('src')) this.follower.attachPlain('');
      loadLibrary().then((Hls) => { if (mine === this.attached) this.open(Hls, src); }, () => {
        if (mine === this.attached) this.broke('list');
      });
    }

    broke(error) {
      this.lastError = error;
      this.follower.fail();
    }

    /* --- HLS by hls.js --- */

    open(Hls, src) {
      if (!Hls.isSupported()) return this.broke('kind');
      const isLong = Number.isFinite(this.given.durationMs);
      // Its worker would be a blob, which our policy forbids.
      const hls = this.hls = new Hls({ enableWorker: false, startPosition: isLong ? this.wantedAt(this.clock.now()) / 1000 : -1 });
      hls.on(Hls.Events.ERROR, (_, data) => { if (data.fatal && hls === this.hls) this.mend(Hls, hls, data); });
      for (const event of [Hls.Events.LEVEL_LOADED, Hls.Events.LEVEL_UPDATED]) {
        hls.on(event, (_, { details }) => { if (hls === this.hls) this.readList(details); });
      }
      hls.on(Hls.Events.FRAG_LOADED, () => { this.againMs = AGAIN_MS; });
      hls.loadSource(src);
      hls.attachMedia(media);
    }

    /** What plays already goes on with what it has while the network is asked again. */
    mend(Hls, hls, { type, details }) {
      const now = performance.now(), isStarted = media.readyState > 0;
      if (type === Hls.ErrorTypes.NETWORK_ERROR && isStarted) {
        this.againMs = Math.min((this.againMs ?? AGAIN_MS) * 2, MOST_AGAIN_MS);
        setTimeout(() => { if (hls === this.hls) hls.startLoad(); }, this.againMs);
      } else if (type === Hls.ErrorTypes.MEDIA_ERROR && now - this.mendedAt > MEND_EVERY_MS) {
        this.mendedAt = now;
        hls.recoverMediaError();
      } else {
        hls.destroy();
        this.hls = null;
        this.broke(/manifest(?!Incompatible)|level/i.test(details) ? 'list' : type === Hls.ErrorTypes.NETWORK_ERROR ? '' : 'kind');
      }
    }

    /** A live list that names the time of day is played a fixed while behind it, which is the same place everywhere. */
    readList(details) {
      const { hls } = this;
      if (!details.live) { if (this.live) this.setLive(null); return; }
      if (!this.clock.isLocked) { setTimeout(() => { if (hls === this.hls) this.readList(details); }, AGAIN_MS / 4); return; }
      const piece = details.fragments.find(({ programDateTime }) => Number.isFinite(programDateTime));
      const delayMs = Math.min(LIVE_DELAY_MS, (3 * details.targetduration + 2) * 1000);
      const live = piece && { isFree: false, positionMs: piece.start * 1000, atMs: piece.programDateTime + delayMs };
      const wanted = live ? live.positionMs + this.clock.now() - live.atMs : NaN;
      // A clock over there that is far off names a place that is not in the list.
      if (wanted > details.fragmentStart * 1000 && wanted < details.edge * 1000) this.setLive(live);
      else if (!this.live?.isFree) this.setLive({ isFree: true });
    }

    /* --- what has no end --- */

    /** Browsers that play a live list, or a radio, by themselves say only that there is no end. */
    findEdge() {
      if (this.hls || media.duration !== Infinity || Number.isFinite(this.given.durationMs)) return;
      const day = media.getStartDate?.().getTime();
      this.setLive(Number.isFinite(day) ? { isFree: false, positionMs: 0, atMs: day + LIVE_DELAY_MS } : { isFree: true });
    }

    setLive(live) {
      const before = this.live;
      if (before && live && !before.isFree && !live.isFree) {
        const moved = (live.positionMs - live.atMs) - (before.positionMs - before.atMs);
        if (Math.abs(moved) <= MOST_REMAP_MS) return;
      }
      this.live = live;
      this.follower.follow(this.placed());
      this.changed();
    }

    goToEdge() {
      const { seekable } = media, edge = this.hls?.liveSyncPosition ?? (seekable.length ? seekable.end(seekable.length - 1) - 6 : NaN);
      if (Number.isFinite(edge) && this.isHls) media.currentTime = Math.max(0, edge);
    }

    /** The room's anchor, or for what is live the one its own list gives. */
    placed() {
      const anchor = { ...this.given, src: this.src };
      if (!this.live || anchor.state !== 'playing') return this.live ? { ...anchor, isFree: true } : anchor;
      return { ...anchor, ...this.live, rate: 1, durationMs: Infinity };
    }

    /** Told once the browser has stopped guessing. */
    learnLength() {
      const { item } = this.given, seconds = media.duration;
      if (!item || Number.isFinite(this.given.durationMs) || !Number.isFinite(seconds)) return;
      setTimeout(() => {
        if (item === this.given.item && seconds === media.duration && !this.live) this.host?.tellLength(item, seconds * 1000);
      }, SETTLED_MS);
    }
  }

  let native = null;
  const make = (host) => {
    native ??= new Native(host);
    native.host = host;
    return native;
  };
  partyline.players.register('file', make);
  partyline.players.register('hls', make);
})();
