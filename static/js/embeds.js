/*
 * What players in frames share: the frame itself, which may never navigate the page; scripts of providers, fetched only
 * when something of theirs plays; and the player around a FrameFollower (framefollower.js) that player.js can drive.
 * youtube.js and vimeo.js bring the frame's commands, embed.js what cannot be steered.
 */
(() => {
  const { partyline } = window;
  if (!partyline?.players) return;
  const TELL_AFTER_MS = 5000, WORD_AGAIN_MS = 10000, SCRIPT_MS = 15000;

  /**
   * Least privilege: scripts of their own origin, and what else a player names. Never top navigation. `origins` are those
   * that our own address leads to: a permission is given to the origin in `src` unless others are named.
   */
  function iframe({ src, title, sandbox = '', allow = '', origins = [] }) {
    const one = document.createElement('iframe');
    one.className = 'frame';
    one.setAttribute('sandbox', `allow-scripts allow-same-origin allow-presentation ${sandbox}`.trim());
    const to = origins.length ? ` ${origins.join(' ')}` : '';
    one.setAttribute('allow', `autoplay${to}; fullscreen${to}; encrypted-media${to} ${allow}`.trim());
    one.referrerPolicy = 'strict-origin-when-cross-origin';
    Object.assign(one, { title, src });
    return one;
  }

  const scripts = new Map();
  /** Once per page; what failed may be asked for again. */
  function script(src) {
    if (!scripts.has(src)) scripts.set(src, new Promise((done, failed) => {
      const one = Object.assign(document.createElement('script'), { src, async: true });
      const fail = () => { scripts.delete(src); one.remove(); failed(new Error(src)); };
      setTimeout(fail, SCRIPT_MS);
      one.onload = done;
      one.onerror = fail;
      document.head.append(one);
    }));
    return scripts.get(src);
  }

  /** A browser has no reason to refuse sound once somebody touched the page; one that does not say may have. */
  const mayBeBlocked = () => !(navigator.userActivation?.hasBeenActive ?? false);

  /**
   * The player around `makeFrame(host)`, whose result a FrameFollower takes and that besides has setVolume(0..1),
   * destroy(), and `problem`: null, or { text, url, isPassing } while it cannot play. `name` is what is remembered under.
   */
  function framed(name, makeFrame) {
    return (host) => {
      let item = '', steadySince = 0, retryTimer = 0, known = '';
      const frame = makeFrame(host);
      const follower = new partyline.timing.FrameFollower({
        frame, mayBeBlocked, clock: host.clock, time: host.time, memory: host.storage.get(name, {}),
        onStruggle: host.onStruggle, onChange: () => changed(),
      });

      function changed() {
        host.onChange(player);
        const knowledge = JSON.stringify(follower.memory);
        if (follower.state === 'in step' && knowledge !== known) host.storage.set(name, follower.memory);
        known = knowledge;
        tell();
        if (follower.state === 'failed' && frame.problem?.isPassing && !retryTimer) retryTimer = setTimeout(again, WORD_AGAIN_MS);
      }

      /** An advertisement has a length too, so only a player that has kept up for a while is believed. */
      function tell() {
        const reading = follower.state === 'in step' && !follower.isEndless && frame.reading();
        if (!reading || !reading.durationMs) { steadySince = 0; return; }
        steadySince ||= host.time.now();
        if (host.time.now() - steadySince > TELL_AFTER_MS && reading.ms <= reading.durationMs) host.tellLength(item, reading.durationMs);
      }

      function again() {
        clearTimeout(retryTimer);
        retryTimer = 0;
        if (!frame.problem?.isPassing) return;
        frame.load(frame.reference);
        follower.retry();
      }
      addEventListener('online', again);

      const player = {
        follow(anchor) {
          if (anchor.item !== item) steadySince = 0;
          item = anchor.item;
          follower.follow(anchor);
        },
        destroy() {
          removeEventListener('online', again);
          clearTimeout(retryTimer);
          follower.leave();
          frame.destroy();
          host.frame.replaceChildren();
        },
        setVolume: (volume) => frame.setVolume(volume),
        setMuted: (isMuted) => follower.setMuted(isMuted),
        setSpeaker: (ms) => follower.setSpeaker(ms),
        tap: () => follower.tap(),
        wantedAt: (t) => follower.wantedAt(t),
        get state() { return follower.state; },
        get drift() { return follower.drift; },
        get isBlocked() { return follower.isBlocked; },
        get isHeld() { return follower.isHeld; },
        get isLive() { return follower.isEndless; },
        get problem() { return follower.state === 'failed' ? frame.problem : null; },
        get seeks() { return follower.seeks; },
        get stalls() { return follower.stalls; },
        get starts() { return follower.starts; },
        get ads() { return follower.ads; },
        get band() { return follower.band; },
        get rate() { return frame.reading()?.rate ?? 1; },
        get learned() { return follower.memory; },
        reading: () => frame.reading(),
      };
      return player;
    };
  }

  partyline.frames = { iframe, script, framed };
})();
