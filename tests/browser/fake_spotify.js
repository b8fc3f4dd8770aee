/* A fake of Spotify's Web Playback SDK: late, and told by the Web API what to play, as the real one is. Not theirs. */
(() => {
  const HABITS = window.spotifyHabits ?? {}, START_MS = HABITS.startMs ?? 250, STEP_MS = HABITS.stepMs ?? 120;
  const fake = window.fake = { commands: [], made: 0, token: '', track: '', ms: 0, at: 0, isPaused: true, players: [] };
  const duration = 240000, now = () => performance.timeOrigin + performance.now();
  fake.place = () => (fake.isPaused ? fake.ms : Math.min(duration, fake.ms + now() - fake.at));
  fake.truth = () => ({ ms: fake.place(), at: now() });
  const state = () => (fake.track ? {
    position: Math.round(fake.place()), duration, paused: fake.isPaused, loading: false,
    track_window: { current_track: { id: HABITS.relinks ? 'another' : fake.track, linked_from: { id: fake.track } } },
  } : null);

  class Player {
    constructor(options) { Object.assign(this, { options, heard: {} }); fake.made += 1; fake.players.push(this); }
    addListener(name, fn) { (this.heard[name] ??= []).push(fn); return true; }
    tell(name, value) { for (const fn of this.heard[name] ?? []) fn(value); }
    async connect() {
      fake.token = await new Promise((done) => this.options.getOAuthToken(done));
      if (HABITS.trouble) { setTimeout(() => this.tell(HABITS.trouble, { message: 'no' }), 10); return true; }
      setTimeout(() => this.tell('ready', { device_id: 'this-device' }), 10);
      return true;
    }
    disconnect() { fake.commands.push(['disconnect']); fake.isPaused = true; }
    async getCurrentState() { return state(); }
    async setVolume(volume) { fake.commands.push(['setVolume', volume]); }
    async activateElement() { fake.commands.push(['activateElement']); }
    later(ms, change) { setTimeout(() => { change(); this.tell('player_state_changed', state()); }, ms); }
    async pause() { fake.commands.push(['pause']); this.later(20, () => { fake.ms = fake.place(); fake.isPaused = true; }); }
    async resume() { fake.commands.push(['resume']); this.later(STEP_MS, () => { if (fake.isPaused) fake.at = now(); fake.isPaused = false; }); }
    async seek(ms) { fake.commands.push(['seek', ms]); this.later(STEP_MS, () => { fake.ms = ms; fake.at = now(); }); }
  }

  const ask = window.fetch;
  window.fetch = async (url, options) => {
    const answer = await ask(url, options);
    if (String(url).startsWith('https://api.spotify.com/') && answer.ok) {
      const { uris: [uri], position_ms: ms } = JSON.parse(options.body);
      fake.commands.push(['play', uri, ms]);
      fake.players.at(-1).later(START_MS, () => Object.assign(fake, { track: uri.split(':')[2], ms, at: now(), isPaused: false }));
    }
    return answer;
  };
  fake.elsewhere = () => { fake.track = ''; fake.isPaused = true; fake.players.at(-1).tell('player_state_changed', null); };
  window.Spotify = { Player };
  window.onSpotifyWebPlaybackSDKReady();
})();
