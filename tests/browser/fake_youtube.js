/*
 * A fake of the script behind YouTube's IFrame Player API, for tests: the documented functions and events, over messages
 * to the frame (fake_youtube.html). As the real one it knows the player only by what was last told, and reckons the time on.
 * https://developers.google.com/youtube/iframe_api_reference
 */
(() => {
  const players = new Map();
  let last = 0;
  addEventListener('message', ({ source, origin, data }) => {
    let said;
    try { said = JSON.parse(data); } catch { return; }
    const player = players.get(said.id);
    if (!player || origin !== player.host || source !== player.frame?.contentWindow) return;
    player.hear(said);
  });

  class Player {
    constructor(frame, { host, events = {} }) {
      Object.assign(this, { frame, host: host ?? new URL(frame.src).origin, events, info: {}, id: ++last, waiting: [], isOpen: false });
      players.set(this.id, this);
      this.timer = setInterval(() => this.post({ event: 'listening' }), 50);
    }
    post(message) { this.frame?.contentWindow?.postMessage(JSON.stringify({ ...message, id: this.id, channel: 'widget' }), this.host); }
    call(func, ...args) {
      const command = { event: 'command', func, args };
      if (this.isOpen) this.post(command); else this.waiting.push(command);
    }
    hear({ event, info }) {
      if (event === 'initialDelivery') {
        clearInterval(this.timer);
        this.isOpen = true;
        this.info = info;
        for (const command of this.waiting.splice(0)) this.post(command);
      } else if (event === 'infoDelivery') Object.assign(this.info, info);
      else this.events[event]?.({ target: this, data: info });
    }
    playVideo() { this.call('playVideo'); }
    pauseVideo() { this.call('pauseVideo'); }
    seekTo(seconds, isFar) { this.call('seekTo', seconds, isFar); }
    cueVideoById(which) { this.info = {}; this.call('cueVideoById', which); }
    setPlaybackRate(rate) { this.call('setPlaybackRate', rate); }
    setVolume(volume) { this.call('setVolume', volume); }
    mute() { this.call('mute'); }
    unMute() { this.call('unMute'); }
    getPlayerState() { return this.info.playerState; }
    getDuration() { return this.info.duration; }
    getPlaybackRate() { return this.info.playbackRate; }
    getAvailablePlaybackRates() { return this.info.availablePlaybackRates; }
    getCurrentTime() {
      const { currentTime, playerState, playbackRate, toldAt } = this.info;
      const since = playerState === 1 ? (Date.now() - toldAt) / 1000 * playbackRate : 0;
      return currentTime + (since > 0 ? Math.min(since, 1) : 0);
    }
    getIframe() { return this.frame; }
    destroy() {
      clearInterval(this.timer);
      players.delete(this.id);
      this.frame?.remove();
      this.frame = null;
    }
  }

  const waiting = window.YT.waiting;
  Object.assign(window.YT, { Player, loaded: 1, ready: (fn) => fn() });
  for (const fn of waiting) fn();
  window.onYouTubeIframeAPIReady?.();
})();
