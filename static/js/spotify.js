/*
 * Spotify by its own Web Playback SDK: https://developer.spotify.com/documentation/web-playback-sdk/reference. It is
 * fetched only when something of theirs plays and this person has an account connected; their own access token, an hour
 * at most, is the one secret of ours that a page ever holds, and it is kept nowhere. A track is begun by the Web API
 * (PUT /me/player/play, …/documentation/web-api/reference/start-a-users-playback); the rest the SDK does itself.
 */
(() => {
  const { partyline } = window;
  if (!partyline?.frames) return;
  const { script, framed } = partyline.frames;
  const SDK = 'https://sdk.scdn.co/spotify-player.js', PLAY = 'https://api.spotify.com/v1/me/player/play';
  const NAME = 'Partyline', READY_MS = 15000, LOOK_MS = 1000, TOKEN_TRIES = 15, EARLY_MS = 30000, END_MS = 3000;
  const NEEDS = 'Needs your own Spotify Premium. Connect it on your Spotify page.';
  const PREMIUM = 'Needs your own Spotify Premium. The account you connected has none.';
  const BROWSER = 'Spotify’s player doesn’t work in this browser, or not at an address without https.';
  const UNREACHED = 'Spotify can’t be reached from here just now.';
  const TRACK = 'Spotify can’t play this track here.';
  const trackUrl = (reference) => `https://open.spotify.com/track/${encodeURIComponent(reference)}`;
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));

  class Needed extends Error {}

  let known = { token: '', ends_at: 0 };
  /** The person's own token. The server may have to renew it first, which the worker does. */
  async function token() {
    for (let tries = 0; tries < TOKEN_TRIES; tries += 1) {
      if (known.token && known.ends_at - (partyline.clock?.now() ?? Date.now()) > EARLY_MS) return known.token;
      const answer = await fetch('/spotify/token', { headers: { 'X-Partyline-Player': 'spotify' }, cache: 'no-store' });
      if (answer.status >= 400 && answer.status < 500 && answer.status !== 429) throw new Needed(NEEDS);
      if (answer.status === 200) known = await answer.json();
      else await wait(answer.status === 202 ? (await answer.json()).again_ms : LOOK_MS);
    }
    throw new Error(UNREACHED);
  }

  /** The SDK says by a function of its own when it is there; it may be there already. */
  async function loadSdk() {
    if (window.Spotify?.Player) return window.Spotify;
    const ready = new Promise((done, failed) => {
      window.onSpotifyWebPlaybackSDKReady = () => done(window.Spotify);
      setTimeout(() => failed(new Error(SDK)), READY_MS);
    });
    ready.catch(() => {});
    await script(SDK);
    return ready;
  }

  class SpotifyFrame {
    constructor({ frame, time, clock }) {
      Object.assign(this, { box: frame, time, clock, tellFollower: () => {}, player: null, device: '', isGone: false, reference: '' });
      Object.assign(this, { problem: null, volume: 1, isMuted: false, state: 'unstarted', ms: 0, at: 0, durationMs: 0, place: 0, isBegun: false });
    }

    listen(fn) { this.tellFollower = fn; }

    load(reference) {
      // One player for many tracks; what it still plays of the last one is no news of this one.
      if (this.player && this.isBegun) this.player.pause();
      Object.assign(this, { reference, problem: null, state: 'cued', ms: 0, at: 0, durationMs: 0, place: 0, isBegun: false });
      this.box.replaceChildren();
      if (!this.player && !this.isComing) this.open();
    }

    async open() {
      this.isComing = true;
      try {
        await token();
        const Spotify = await loadSdk();
        if (!this.isGone) await this.connect(Spotify);
      } catch (error) {
        this.fail(error instanceof Needed ? NEEDS : UNREACHED, { needsAccount: error instanceof Needed });
      } finally {
        this.isComing = false;
      }
    }

    async connect(Spotify) {
      const player = new Spotify.Player({
        name: NAME,
        volume: this.isMuted ? 0 : this.volume,
        getOAuthToken: (tell) => token().then(tell, () => this.fail(NEEDS, { needsAccount: true })),
      });
      player.addListener('ready', ({ device_id: device }) => { this.device = device; this.tellFollower('state'); });
      player.addListener('not_ready', () => { this.device = ''; });
      player.addListener('player_state_changed', (state) => this.heard(state));
      player.addListener('autoplay_failed', () => this.tellFollower('blocked'));
      player.addListener('initialization_error', () => this.fail(BROWSER));
      player.addListener('authentication_error', () => { known = { token: '', ends_at: 0 }; this.fail(NEEDS, { needsAccount: true }); });
      player.addListener('account_error', () => this.fail(PREMIUM, { needsAccount: true }));
      player.addListener('playback_error', () => this.fail(TRACK));
      this.player = player;
      if (!await player.connect() && !this.problem) this.fail(UNREACHED);
      this.looking = setInterval(() => this.look(), LOOK_MS);
    }

    /** What it tells by itself comes late now and then; asked, it knows its place to the millisecond. */
    async look() {
      if (this.isBegun && !this.problem) this.heard(await this.player.getCurrentState());
    }

    heard(state) {
      if (this.isGone || !this.isBegun) return;
      // Spotify plays in one place at a time: somebody went on with it elsewhere.
      const track = state?.track_window?.current_track, ids = [track?.id, track?.linked_from?.id];
      if (!ids.includes(this.reference)) { if (this.state === 'playing') this.left(); return; }
      const isEnd = state.paused && state.position === 0 && this.state === 'playing' && this.durationMs - this.now() < END_MS;
      Object.assign(this, { ms: state.position, at: this.time.now(), durationMs: state.duration });
      this.become(isEnd ? 'ended' : state.loading ? 'buffering' : state.paused ? (this.state === 'ended' ? 'ended' : 'paused') : 'playing');
    }

    /** It plays on elsewhere, or something else: here it stands until somebody takes it back. */
    left() {
      this.place = this.now();
      Object.assign(this, { ms: this.place, isBegun: false });
      this.become('paused');
    }

    become(state) {
      if (state === this.state) return;
      this.state = state;
      this.tellFollower('state');
    }

    now() { return this.state === 'playing' ? this.ms + this.time.now() - this.at : this.ms; }

    reading() {
      if (!this.device || this.problem) return null;
      return { state: this.state, ms: this.isBegun ? this.now() : this.place, durationMs: this.durationMs, rate: 1 };
    }

    /** The first time by the Web API, which names the track, the place and this very page. */
    async play() {
      if (!this.device || this.problem) return;
      if (this.isBegun && this.state !== 'ended') { this.player.resume(); return; }
      const mine = this.reference;
      Object.assign(this, { isBegun: true, state: 'buffering', ms: this.place, at: this.time.now() });
      try {
        const answer = await this.begin(mine, await token());
        if (answer.status === 401) known = { token: '', ends_at: 0 };
        const last = answer.status === 401 ? await this.begin(mine, await token()) : answer;
        if (mine !== this.reference || last.ok) return;
        this.fail(last.status === 403 ? PREMIUM : last.status === 404 || last.status === 400 ? TRACK : UNREACHED, { needsAccount: last.status === 403 });
      } catch (error) {
        if (mine === this.reference) this.fail(error instanceof Needed ? NEEDS : UNREACHED, { needsAccount: error instanceof Needed });
      }
    }

    begin(reference, access) {
      return fetch(`${PLAY}?${new URLSearchParams({ device_id: this.device })}`, {
        method: 'PUT', credentials: 'omit', referrerPolicy: 'no-referrer',
        headers: { Authorization: `Bearer ${access}`, 'Content-Type': 'application/json' },
        body: JSON.stringify({ uris: [`spotify:track:${reference}`], position_ms: Math.round(this.place) }),
      });
    }

    pause() { if (this.isBegun) this.player?.pause(); }

    seek(ms) {
      this.place = Math.max(0, ms);
      if (!this.isBegun || this.state === 'ended') return;
      this.player.seek(Math.round(this.place));
      Object.assign(this, { ms: this.place, at: this.time.now() });
    }

    /** There is no other speed at Spotify; the follower reads that back, and seeks instead. */
    setRate() {}

    setVolume(volume) { if (volume !== this.volume) { this.volume = volume; this.applySound(); } }
    setMuted(isMuted) {
      // A browser lets it sound only if it was asked inside a tap.
      if (!isMuted) this.player?.activateElement?.();
      if (isMuted !== this.isMuted) { this.isMuted = isMuted; this.applySound(); }
    }
    applySound() { this.player?.setVolume(this.isMuted ? 0 : this.volume); }

    fail(text, { needsAccount = false } = {}) {
      if (this.isGone) return;
      this.problem = { text, url: trackUrl(this.reference), isPassing: text === UNREACHED };
      this.isBegun = false;
      if (needsAccount) this.offer(text);
      this.tellFollower('failed');
    }

    /** The way to one's own account, where the picture would be. */
    offer(text) {
      const notice = Object.assign(document.createElement('p'), { className: 'together' });
      const words = Object.assign(document.createElement('span'), { className: 'together__words', textContent: `${text} ` });
      const link = (href, label) => Object.assign(document.createElement('a'), { href, textContent: label, target: '_blank', rel: 'noopener' });
      words.append(link('/spotify', 'Connect it'), ' · ', link(trackUrl(this.reference), 'Open in Spotify'));
      notice.append(words);
      this.box.replaceChildren(notice);
    }

    destroy() {
      this.isGone = true;
      clearInterval(this.looking);
      this.player?.disconnect();
      this.device = '';
    }
  }

  partyline.players.register('spotify', framed('spotify', (host) => new SpotifyFrame(host)));
})();
